//! Cross-cutting concerns as wrappers of the traits.

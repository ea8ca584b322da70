//! Simulated services: stateful stand-ins for Microsoft 365 that refuse what the service refuses

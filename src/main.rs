fn main() -> std::process::ExitCode {
    transhume::cli::main()
}

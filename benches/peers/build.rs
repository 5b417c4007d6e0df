//! Compiles the C++ subject, and says so when it cannot: `src/subject/spdlog.rs` then is left out.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(spdlog)");
    println!("cargo::rerun-if-changed=src/subject/spdlog.cpp");
    let compiled = cc::Build::new()
        .cpp(true)
        .std("c++17")
        .opt_level(3)
        .define("NDEBUG", None)
        .define("SPDLOG_FMT_EXTERNAL", None)
        .define("FMT_HEADER_ONLY", None)
        .flag_if_supported("-Wno-stringop-overflow")
        .file("src/subject/spdlog.cpp")
        .try_compile("spdlog_subject");
    match compiled {
        Ok(()) => println!("cargo::rustc-cfg=spdlog"),
        Err(error) => println!(
            "cargo::warning=C++ spdlog is NOT measured: it needs g++ and the Debian package \
             libspdlog-dev ({})",
            error.to_string().lines().next().unwrap_or_default()
        ),
    }
}

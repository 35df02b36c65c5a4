//! Lets the encoder's program find libtorch at run time, wherever the target folder is.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    if std::env::var_os("CARGO_FEATURE_ENCODER").is_some()
        && let Ok(libtorch) = std::env::var("LIBTORCH")
    {
        println!("cargo:rustc-link-arg-bin=selvedge-encoder=-Wl,-rpath,{libtorch}/lib");
    }
}

/** Tenon on NVIDIA GPUs: kernels that are generated and compiled when an engine is built. */
module dev.tenon.cuda {
    requires static transitive org.jspecify;
    requires transitive dev.tenon;

    exports dev.tenon.cuda;
}

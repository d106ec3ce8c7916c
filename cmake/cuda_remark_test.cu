// The assembler leaves setmaxnreg out of a kernel without a register cap, and says so in a remark.
__global__ void remark(float* y) {
    if (threadIdx.x < 128) {
        asm volatile("setmaxnreg.dec.sync.aligned.u32 24;");
        y[0] = 1;
    } else {
        asm volatile("setmaxnreg.inc.sync.aligned.u32 240;");
        y[threadIdx.x] = 2;
    }
}

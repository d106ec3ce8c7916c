package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Graph;
import java.util.List;
import java.util.function.BiConsumer;

/** The passes in their order. Where order matters, the line says why. */
public final class Pipeline {
    private Pipeline() {}

    /** All passes for an engine. They run at build on the symbolic graph and again when a plan fixes the shapes. */
    public static List<Pass> standard(PassContext context) {
        return List.of(
                // Canonicalize: one form for what models write in many.
                new FoldConstants(context.constants()),
                // Before all that looks for single precision.
                new PromoteHalf(),
                new SimplifyTranspose(),
                new RemoveNoOps(),
                new LowerClip(),
                new LowerVariadic(),
                new SimplifyArithmetic(),
                new LowerMean(),
                new FoldBatchNorm(),
                new FoldChannelScale(),
                new MergeCommonSubexpressions(),
                // Fuse: functions first, as products take them in whole.
                new FuseGelu(),
                new FuseSwish(),
                new FuseLayerNorm(),
                new FuseRmsNorm(),
                new FuseLayerNormScale(),
                // Before the products in it get epilogues.
                new FuseAttention(),
                new LowerAttention(),
                new SimplifyAttentionMask(),
                new LowerRecurrent(),
                new LowerGemm(),
                new FuseMatMulTranspose(),
                new LowerTranspose(),
                new FuseMatMulBias(),
                new FuseProductEpilogues(),
                // Products add residuals at no cost; what is left is added by the normalisation.
                new FuseAddLayerNorm(),
                // What is left of elementwise work; no other pass looks into chains.
                new FuseElementwise(),
                new RemoveDeadCode());
    }

    /**
     * Runs the passes in order.
     *
     * @param after is told each pass and the graph it left
     */
    public static Graph run(Graph graph, List<Pass> passes, PassContext context, BiConsumer<Pass, Graph> after) {
        Graph g = graph;
        for (Pass p : passes) {
            g = p.run(g, context);
            after.accept(p, g);
        }
        return g;
    }
}

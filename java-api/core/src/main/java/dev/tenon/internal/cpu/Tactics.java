package dev.tenon.internal.cpu;

import dev.tenon.internal.ir.Op;
import dev.tenon.internal.op.AddLayerNorm;
import dev.tenon.internal.op.ArgReduce;
import dev.tenon.internal.op.AveragePool;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.Cast;
import dev.tenon.internal.op.Compare;
import dev.tenon.internal.op.Concat;
import dev.tenon.internal.op.Conv;
import dev.tenon.internal.op.ConvTranspose;
import dev.tenon.internal.op.DepthToSpace;
import dev.tenon.internal.op.ElementwiseChain;
import dev.tenon.internal.op.Expand;
import dev.tenon.internal.op.Flatten;
import dev.tenon.internal.op.FloatTest;
import dev.tenon.internal.op.FusedAttention;
import dev.tenon.internal.op.FusedConv;
import dev.tenon.internal.op.FusedMatMul;
import dev.tenon.internal.op.Gather;
import dev.tenon.internal.op.GatherElements;
import dev.tenon.internal.op.GatherNd;
import dev.tenon.internal.op.Gemm;
import dev.tenon.internal.op.GlobalPool;
import dev.tenon.internal.op.GroupNorm;
import dev.tenon.internal.op.Identity;
import dev.tenon.internal.op.LayerNorm;
import dev.tenon.internal.op.Logical;
import dev.tenon.internal.op.Lrn;
import dev.tenon.internal.op.MatMul;
import dev.tenon.internal.op.MaxPool;
import dev.tenon.internal.op.Pad;
import dev.tenon.internal.op.RecurrentSteps;
import dev.tenon.internal.op.Reduce;
import dev.tenon.internal.op.Reshape;
import dev.tenon.internal.op.RmsNorm;
import dev.tenon.internal.op.Slice;
import dev.tenon.internal.op.Softmax;
import dev.tenon.internal.op.SpaceToDepth;
import dev.tenon.internal.op.Split;
import dev.tenon.internal.op.Squeeze;
import dev.tenon.internal.op.Transpose;
import dev.tenon.internal.op.Unary;
import dev.tenon.internal.op.Unsqueeze;
import dev.tenon.internal.op.Variadic;
import dev.tenon.internal.op.Where;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The list of operators that run natively on the processor. All others run by their reference on the host. */
final class Tactics {
    private static final Map<Class<? extends Op>, Tactic> ALL = Map.ofEntries(
            Map.entry(AddLayerNorm.class, NormTactic::addLayer),
            Map.entry(ArgReduce.class, ReduceTactic::arg),
            Map.entry(AveragePool.class, PoolTactic::average),
            Map.entry(Binary.class, ElementwiseTactic::binary),
            Map.entry(Cast.class, ElementwiseTactic::cast),
            Map.entry(Compare.class, ElementwiseTactic::compare),
            Map.entry(Concat.class, MovementTactic::concat),
            Map.entry(Conv.class, ConvTactic::plain),
            Map.entry(ConvTranspose.class, ConvTactic::transposed),
            Map.entry(DepthToSpace.class, MovementTactic::depthToSpace),
            Map.entry(ElementwiseChain.class, ElementwiseTactic::chain),
            Map.entry(Expand.class, MovementTactic::expand),
            Map.entry(Flatten.class, MovementTactic::reshape),
            Map.entry(FloatTest.class, ElementwiseTactic::floatTest),
            Map.entry(FusedAttention.class, AttentionTactic::fused),
            Map.entry(FusedConv.class, ConvTactic::fused),
            Map.entry(FusedMatMul.class, MatMulTactic::fused),
            Map.entry(Gather.class, GatherTactic::slices),
            Map.entry(GatherElements.class, GatherTactic::elements),
            Map.entry(GatherNd.class, GatherTactic::tuples),
            Map.entry(Gemm.class, MatMulTactic::gemm),
            Map.entry(GlobalPool.class, PoolTactic::global),
            Map.entry(GroupNorm.class, NormTactic::group),
            Map.entry(Identity.class, MovementTactic::reshape),
            Map.entry(LayerNorm.class, NormTactic::layer),
            Map.entry(Logical.class, ElementwiseTactic::logical),
            Map.entry(Lrn.class, NormTactic::lrn),
            Map.entry(MatMul.class, MatMulTactic::plain),
            Map.entry(MaxPool.class, PoolTactic::max),
            Map.entry(Pad.class, MovementTactic::pad),
            Map.entry(RecurrentSteps.class, RecurrentTactic::steps),
            Map.entry(Reduce.class, ReduceTactic::reduce),
            Map.entry(Reshape.class, MovementTactic::reshape),
            Map.entry(RmsNorm.class, NormTactic::rms),
            Map.entry(Slice.class, MovementTactic::slice),
            Map.entry(Softmax.class, ReduceTactic::softmax),
            Map.entry(SpaceToDepth.class, MovementTactic::spaceToDepth),
            Map.entry(Split.class, MovementTactic::split),
            Map.entry(Squeeze.class, MovementTactic::reshape),
            Map.entry(Transpose.class, MovementTactic::transpose),
            Map.entry(Unary.class, ElementwiseTactic::unary),
            Map.entry(Unsqueeze.class, MovementTactic::reshape),
            Map.entry(Variadic.class, ElementwiseTactic::variadic),
            Map.entry(Where.class, ElementwiseTactic::where));

    private Tactics() {}

    static @Nullable Tactic of(Op op) {
        return ALL.get(op.getClass());
    }
}

package dev.tenon.internal.op;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The list of all operators. Adding one is one file beside this one and one line here. */
public final class OpSet {
    /** Import rules, one line an operator file, in alphabetical order. */
    public static final List<OpSpec> ALL = concat(List.of(
            AffineGrid.SPECS,
            ArgReduce.SPECS,
            ArrayFeatureExtractor.SPECS,
            Attention.SPECS,
            AveragePool.SPECS,
            BatchedScan.SPECS,
            BatchNorm.SPECS,
            Bernoulli.SPECS,
            Binarizer.SPECS,
            Binary.SPECS,
            BitCast.SPECS,
            Cast.SPECS,
            CastLike.SPECS,
            CausalConvWithState.SPECS,
            CenterCropPad.SPECS,
            Clip.SPECS,
            Col2Im.SPECS,
            Compare.SPECS,
            Compress.SPECS,
            Concat.SPECS,
            ConcatFromSequence.SPECS,
            ConstantOfShape.SPECS,
            Conv.SPECS,
            ConvTranspose.SPECS,
            Cumulative.SPECS,
            DeformConv.SPECS,
            DepthToSpace.SPECS,
            DequantizeLinear.SPECS,
            Det.SPECS,
            Dft.SPECS,
            Dropout.SPECS,
            DynamicQuantizeLinear.SPECS,
            Einsum.SPECS,
            Expand.SPECS,
            EyeLike.SPECS,
            Flatten.SPECS,
            FlexAttention.SPECS,
            FloatTest.SPECS,
            Gather.SPECS,
            GatherElements.SPECS,
            GatherNd.SPECS,
            Gemm.SPECS,
            GlobalPool.SPECS,
            GridSample.SPECS,
            GroupNorm.SPECS,
            Identity.SPECS,
            If.SPECS,
            IntegerConv.SPECS,
            IntegerMatMul.SPECS,
            LabelEncoder.SPECS,
            LayerNorm.SPECS,
            LinearAttention.SPECS,
            Logical.SPECS,
            Loop.SPECS,
            LpNorm.SPECS,
            LpPool.SPECS,
            Lrn.SPECS,
            MakeOptional.SPECS,
            MatMul.SPECS,
            MaxPool.SPECS,
            MaxRoiPool.SPECS,
            MaxUnpool.SPECS,
            MeanVarianceNorm.SPECS,
            MelWeightMatrix.SPECS,
            Multinomial.SPECS,
            NegativeLogLikelihoodLoss.SPECS,
            NonMaxSuppression.SPECS,
            NonZero.SPECS,
            OneHot.SPECS,
            OptionalGetElement.SPECS,
            OptionalHasElement.SPECS,
            Pad.SPECS,
            QuantizeLinear.SPECS,
            RandomFill.SPECS,
            Range.SPECS,
            Recurrent.SPECS,
            Reduce.SPECS,
            RegexFullMatch.SPECS,
            Reshape.SPECS,
            Resize.SPECS,
            ReverseSequence.SPECS,
            RmsNorm.SPECS,
            RoiAlign.SPECS,
            RotaryEmbedding.SPECS,
            Scan.SPECS,
            ScatterElements.SPECS,
            ScatterNd.SPECS,
            SequenceAt.SPECS,
            SequenceConstruct.SPECS,
            SequenceEdit.SPECS,
            SequenceEmpty.SPECS,
            SequenceLength.SPECS,
            SequenceMap.SPECS,
            ShapeOf.SPECS,
            SignalWindow.SPECS,
            SizeOf.SPECS,
            Slice.SPECS,
            Softmax.SPECS,
            SoftmaxCrossEntropyLoss.SPECS,
            SpaceToDepth.SPECS,
            Split.SPECS,
            SplitToSequence.SPECS,
            Squeeze.SPECS,
            Stft.SPECS,
            StringConcat.SPECS,
            StringNormalizer.SPECS,
            StringSplit.SPECS,
            SwiGlu.SPECS,
            TensorScatter.SPECS,
            TfIdfVectorizer.SPECS,
            Tile.SPECS,
            TopK.SPECS,
            Transpose.SPECS,
            TreeEnsemble.SPECS,
            Trilu.SPECS,
            Unary.SPECS,
            Unique.SPECS,
            Unsqueeze.SPECS,
            Variadic.SPECS,
            Where.SPECS));

    private static final Map<String, List<OpSpec>> BY_NAME = new HashMap<>();

    static {
        for (OpSpec s : ALL) {
            BY_NAME.computeIfAbsent(key(s.domain(), s.onnxName()), k -> new ArrayList<>(1))
                    .add(s);
        }
    }

    private OpSet() {}

    /** The rule for an operator at a version of its domain; empty if it is not supported. */
    public static Optional<OpSpec> find(String domain, String name, int opset) {
        String d = domain.equals("ai.onnx") ? "" : domain;
        return BY_NAME.getOrDefault(key(d, name), List.of()).stream()
                .filter(s -> opset >= s.since() && opset <= s.until())
                .findFirst();
    }

    private static String key(String domain, String name) {
        return domain + "::" + name;
    }

    private static List<OpSpec> concat(List<List<OpSpec>> lists) {
        return lists.stream().flatMap(List::stream).toList();
    }
}

namespace FastNN.Layers;

/// <summary>The kinds of the library's own layers.</summary>
internal static class BuiltInLayers
{
    public static void Register()
    {
        LayerKinds.Register(nameof(Sequential), Sequential.Create);
        LayerKinds.Register(nameof(Checkpoint), Checkpoint.Create);
        LayerKinds.Register(nameof(Model), Model.Create);
        LayerKinds.Register(nameof(Dense), Dense.Create);
        LayerKinds.Register(nameof(LowRankDense), LowRankDense.Create);
        LayerKinds.Register(nameof(SparseDense), SparseDense.Create);
        LayerKinds.Register(nameof(Bilinear), Bilinear.Create);
        LayerKinds.Register(nameof(Conv1D), Conv1D.Create);
        LayerKinds.Register(nameof(Conv2D), Conv2D.Create);
        LayerKinds.Register(nameof(Conv3D), Conv3D.Create);
        LayerKinds.Register(nameof(ConvTranspose1D), ConvTranspose1D.Create);
        LayerKinds.Register(nameof(ConvTranspose2D), ConvTranspose2D.Create);
        LayerKinds.Register(nameof(ConvTranspose3D), ConvTranspose3D.Create);
        LayerKinds.Register(nameof(DepthwiseConv2D), DepthwiseConv2D.Create);
        LayerKinds.Register(nameof(SeparableConv2D), SeparableConv2D.Create);
        LayerKinds.Register(nameof(Unfold), Unfold.Create);
        LayerKinds.Register(nameof(Fold), Fold.Create);
        LayerKinds.Register(nameof(MaxPool2D), MaxPool2D.Create);
        LayerKinds.Register(nameof(AvgPool2D), AvgPool2D.Create);
        LayerKinds.Register(nameof(GlobalAvgPool2D), GlobalAvgPool2D.Create);
        LayerKinds.Register(nameof(MaxPool1D), MaxPool1D.Create);
        LayerKinds.Register(nameof(AvgPool1D), AvgPool1D.Create);
        LayerKinds.Register(nameof(MaxPool3D), MaxPool3D.Create);
        LayerKinds.Register(nameof(AvgPool3D), AvgPool3D.Create);
        LayerKinds.Register(nameof(AdaptiveAvgPool1D), AdaptiveAvgPool1D.Create);
        LayerKinds.Register(nameof(AdaptiveAvgPool2D), AdaptiveAvgPool2D.Create);
        LayerKinds.Register(nameof(AdaptiveAvgPool3D), AdaptiveAvgPool3D.Create);
        LayerKinds.Register(nameof(AdaptiveMaxPool1D), AdaptiveMaxPool1D.Create);
        LayerKinds.Register(nameof(AdaptiveMaxPool2D), AdaptiveMaxPool2D.Create);
        LayerKinds.Register(nameof(AdaptiveMaxPool3D), AdaptiveMaxPool3D.Create);
        LayerKinds.Register(nameof(GlobalAvgPool1D), GlobalAvgPool1D.Create);
        LayerKinds.Register(nameof(GlobalAvgPool3D), GlobalAvgPool3D.Create);
        LayerKinds.Register(nameof(GlobalMaxPool1D), GlobalMaxPool1D.Create);
        LayerKinds.Register(nameof(GlobalMaxPool2D), GlobalMaxPool2D.Create);
        LayerKinds.Register(nameof(GlobalMaxPool3D), GlobalMaxPool3D.Create);
        LayerKinds.Register(nameof(LpPool1D), LpPool1D.Create);
        LayerKinds.Register(nameof(LpPool2D), LpPool2D.Create);
        LayerKinds.Register(nameof(LpPool3D), LpPool3D.Create);
        LayerKinds.Register(nameof(Upsample), Upsample.Create);
        LayerKinds.Register(nameof(PixelShuffle), PixelShuffle.Create);
        LayerKinds.Register(nameof(PixelUnshuffle), PixelUnshuffle.Create);
        LayerKinds.Register(nameof(LocalResponseNorm), LocalResponseNorm.Create);
        LayerKinds.Register(nameof(Flatten), description => new Flatten { Name = description.Name });
        LayerKinds.Register(nameof(Reshape), Reshape.Create);
        LayerKinds.Register(nameof(Permute), Permute.Create);
        LayerKinds.Register(nameof(Dropout), Dropout.Create);
        LayerKinds.Register(nameof(ActivationLayer), ActivationLayer.Create);
        LayerKinds.Register(nameof(Softmax), Softmax.Create);
        LayerKinds.Register(nameof(Embedding), Embedding.Create);
        LayerKinds.Register(nameof(EmbeddingBag), EmbeddingBag.Create);
        LayerKinds.Register(nameof(SimpleRnn), SimpleRnn.Create);
        LayerKinds.Register(nameof(Lstm), Lstm.Create);
        LayerKinds.Register(nameof(Gru), Gru.Create);
        LayerKinds.Register(nameof(PReLU), PReLU.Create);
        LayerKinds.Register(nameof(GLU), GLU.Create);
        LayerKinds.Register(nameof(LayerNorm), LayerNorm.Create);
        LayerKinds.Register(nameof(BatchNorm1D), BatchNorm.Create<BatchNorm1D>);
        LayerKinds.Register(nameof(BatchNorm2D), BatchNorm.Create<BatchNorm2D>);
        LayerKinds.Register(nameof(BatchNorm3D), BatchNorm.Create<BatchNorm3D>);
        LayerKinds.Register(nameof(WeightNorm), WeightNorm.Create);
        LayerKinds.Register(nameof(SpectralNorm), SpectralNorm.Create);
        LayerKinds.Register(nameof(LowRankAdapter), LowRankAdapter.Create);
        LayerKinds.Register(nameof(RMSNorm), RMSNorm.Create);
        LayerKinds.Register(nameof(GroupNorm), GroupNorm.Create);
        LayerKinds.Register(nameof(InstanceNorm1D), InstanceNorm.Create<InstanceNorm1D>);
        LayerKinds.Register(nameof(InstanceNorm2D), InstanceNorm.Create<InstanceNorm2D>);
        LayerKinds.Register(nameof(InstanceNorm3D), InstanceNorm.Create<InstanceNorm3D>);
        LayerKinds.Register(nameof(Add), description => new Add { Name = description.Name });
        LayerKinds.Register(nameof(Multiply), description => new Multiply { Name = description.Name });
        LayerKinds.Register(nameof(Concatenate), Concatenate.Create);
        LayerKinds.Register(nameof(MultiHeadAttention), MultiHeadAttention.Create);
        LayerKinds.Register(nameof(TransformerEncoderLayer), TransformerEncoderLayer.Create);
        LayerKinds.Register(nameof(TransformerEncoder), TransformerEncoder.Create);
        LayerKinds.Register(nameof(TransformerDecoderLayer), TransformerDecoderLayer.Create);
        LayerKinds.Register(nameof(TransformerDecoder), TransformerDecoder.Create);
        LayerKinds.Register(nameof(SinusoidalPositions), SinusoidalPositions.Create);
        LayerKinds.Register(nameof(LearnedPositions), LearnedPositions.Create);
        LayerKinds.Register(nameof(RotaryEmbedding), RotaryEmbedding.Create);
    }
}

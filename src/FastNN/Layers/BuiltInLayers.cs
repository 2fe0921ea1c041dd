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
        LayerKinds.Register(nameof(Conv2D), Conv2D.Create);
        LayerKinds.Register(nameof(MaxPool2D), MaxPool2D.Create);
        LayerKinds.Register(nameof(AvgPool2D), AvgPool2D.Create);
        LayerKinds.Register(nameof(GlobalAvgPool2D), GlobalAvgPool2D.Create);
        LayerKinds.Register(nameof(Flatten), description => new Flatten { Name = description.Name });
        LayerKinds.Register(nameof(Reshape), Reshape.Create);
        LayerKinds.Register(nameof(Dropout), Dropout.Create);
        LayerKinds.Register(nameof(ActivationLayer), ActivationLayer.Create);
        LayerKinds.Register(nameof(Softmax), Softmax.Create);
        LayerKinds.Register(nameof(Embedding), Embedding.Create);
        LayerKinds.Register(nameof(LayerNorm), LayerNorm.Create);
        LayerKinds.Register(nameof(BatchNorm1D), BatchNorm1D.Create);
        LayerKinds.Register(nameof(BatchNorm2D), BatchNorm2D.Create);
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

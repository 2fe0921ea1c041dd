namespace FastNN.Data;

/// <summary>An augmentation after which all images have one size.</summary>
public abstract class SizedAugmentation : Augmentation
{
    private protected SizedAugmentation(int size)
    {
        Height = Width = AugmentationArguments.Positive(Name, size);
    }

    private protected SizedAugmentation(int height, int width)
    {
        Height = AugmentationArguments.Positive(Name, height);
        Width = AugmentationArguments.Positive(Name, width);
    }

    /// <summary>Rows afterwards.</summary>
    public int Height { get; }

    /// <summary>Columns afterwards.</summary>
    public int Width { get; }

    /// <inheritdoc/>
    protected override Shape ShapeAfter(Shape shape) => [Height, Width, shape[2]];
}

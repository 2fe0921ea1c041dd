namespace FastNN.Data;

/// <summary>Augmentations one after the other.</summary>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.Compose.html"/>
public sealed class Compose : Augmentation
{
    private readonly Augmentation[] _parts;

    /// <summary>A sequence.</summary>
    /// <param name="parts">The first to the last; none changes nothing.</param>
    public Compose(params ReadOnlySpan<Augmentation> parts)
    {
        _parts = AugmentationArguments.Parts(Name, parts);
        Places = 1 + _parts.Sum(part => part.Places);
    }

    /// <inheritdoc/>
    internal override int Places { get; }

    /// <inheritdoc/>
    protected override Shape ShapeAfter(Shape shape)
    {
        foreach (Augmentation part in _parts)
        {
            shape = part.OutputShape(shape);
        }

        return shape;
    }

    /// <inheritdoc/>
    protected override void Augment(AugmentationImage image)
    {
        int place = image.Random.Place + 1;
        foreach (Augmentation part in _parts)
        {
            part.Run(image, place);
            place += part.Places;
        }
    }
}

/// <summary>Another augmentation with a probability, all of it or nothing.</summary>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomApply.html"/>
public sealed class RandomApply : RandomAugmentation
{
    private readonly Augmentation _inner;

    /// <summary>An augmentation that happens with a probability.</summary>
    /// <param name="augmentation">What happens; it keeps the shape.</param>
    /// <param name="p">How probable it is; default 0.5.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="p"/> is not in 0..1.</exception>
    public RandomApply(Augmentation augmentation, double p = 0.5)
        : base(p)
    {
        ArgumentNullException.ThrowIfNull(augmentation);
        _inner = augmentation;
    }

    /// <inheritdoc/>
    internal override int Places => 1 + _inner.Places;

    /// <inheritdoc/>
    protected override Shape ShapeAfter(Shape shape)
    {
        Shape after = _inner.OutputShape(shape);
        return after == shape
            ? shape
            : throw new ShapeException(
                $"{Name}: expected an augmentation that keeps the shape, as it may be left out, got one that makes {after} of {shape}.");
    }

    /// <inheritdoc/>
    protected override void Change(AugmentationImage image) => _inner.Run(image, image.Random.Place + 1);
}

/// <summary>One of several augmentations, each as probable as the others: torchvision's RandomChoice.</summary>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomChoice.html"/>
public sealed class OneOf : Augmentation
{
    private readonly Augmentation[] _parts;

    /// <summary>A choice.</summary>
    /// <param name="parts">At least one; all make the same shape.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public OneOf(params ReadOnlySpan<Augmentation> parts)
    {
        _parts = AugmentationArguments.Parts(Name, parts);
        if (_parts.Length == 0)
        {
            throw new ArgumentException($"{Name}: expected at least one augmentation, got none.", nameof(parts));
        }

        Places = 1 + _parts.Sum(part => part.Places);
    }

    /// <inheritdoc/>
    internal override int Places { get; }

    /// <inheritdoc/>
    protected override Shape ShapeAfter(Shape shape)
    {
        Shape first = _parts[0].OutputShape(shape);
        foreach (Augmentation part in _parts)
        {
            Shape after = part.OutputShape(shape);
            if (after != first)
            {
                throw new ShapeException(
                    $"{Name}: expected augmentations that make the same shape of {shape}, got {first} and {after}.");
            }
        }

        return first;
    }

    /// <inheritdoc/>
    protected override void Augment(AugmentationImage image)
    {
        int chosen = image.Random.Below(_parts.Length);
        int place = image.Random.Place + 1;
        for (int i = 0; i < chosen; i++)
        {
            place += _parts[i].Places;
        }

        _parts[chosen].Run(image, place);
    }
}

/// <summary>An augmentation that happens with a probability.</summary>
public abstract class RandomAugmentation : Augmentation
{
    /// <summary>Takes the probability.</summary>
    /// <param name="p">From 0, never, to 1, always.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not in 0..1.</exception>
    protected RandomAugmentation(double p)
    {
        P = AugmentationArguments.Probability(Name, p);
    }

    /// <summary>How probable it is, from 0 to 1.</summary>
    public double P { get; }

    /// <inheritdoc/>
    protected sealed override void Augment(AugmentationImage image)
    {
        if (image.Random.Happens(P))
        {
            Change(image);
        }
    }

    /// <summary>Changes an image; called with the probability <see cref="P"/>.</summary>
    /// <param name="image">As for <see cref="Augmentation.Augment"/>.</param>
    protected abstract void Change(AugmentationImage image);
}

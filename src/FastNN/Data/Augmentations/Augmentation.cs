using FastNN.Tensors;

namespace FastNN.Data;

/// <summary>
/// Changes images one by one on the threads of a <see cref="DataLoader"/>. Images are [height, width, channels] floats; where the
/// range of values matters, an augmentation has a <see cref="ValueRange"/>, 0 to 1 unless another is given.
/// <para>
/// All random numbers are a function of (seed, epoch, example, place among the augmentations), so an image comes out with the
/// same bits for any number of threads and any batch size, and in a resumed run. Names, arguments and defaults are those of
/// torchvision.transforms.v2 where it has the augmentation.
/// </para>
/// </summary>
/// <remarks>
/// An augmentation of the user's own overrides <see cref="Augment"/> and keeps no state, since several threads run one at once.
/// </remarks>
/// <example>
/// <code>
/// var augment = new Compose(new RandomCrop(32) { Padding = 4 }, new RandomHorizontalFlip(), new RandomErasing());
/// trainer.Fit(train, epochs: 30, transform: augment, loaderThreads: 2);
/// </code>
/// </example>
public abstract class Augmentation : IBatchTransform
{
    [ThreadStatic]
    private static AugmentationImage? _threadImage;

    /// <summary>Memory and random numbers of the calling thread.</summary>
    internal static AugmentationImage ThreadImage => _threadImage ??= new AugmentationImage();

    /// <summary>How many places among the augmentations this one takes: itself, and those in it.</summary>
    internal virtual int Places => 1;

    /// <summary>The name in messages: that of the class.</summary>
    protected string Name => GetType().Name;

    /// <summary>The shape of the image that this makes of one of another shape.</summary>
    /// <param name="exampleShape">[height, width, channels].</param>
    /// <exception cref="ShapeException">The shape is none of an image, or of one that the augmentation cannot take.</exception>
    public Shape OutputShape(Shape exampleShape)
    {
        if (exampleShape.Rank != 3 || exampleShape.Count == 0)
        {
            throw new ShapeException($"{Name}: expected images of shape [height, width, channels], got {exampleShape}.");
        }

        return ShapeAfter(exampleShape);
    }

    /// <summary>Augments one image: for looking at the result, and for tests.</summary>
    /// <param name="image">The pixels.</param>
    /// <param name="shape">[height, width, channels].</param>
    /// <param name="result">Takes the new pixels; as many as <see cref="OutputShape"/> has.</param>
    /// <param name="seed">The loader's seed.</param>
    /// <param name="epoch">From 1 on.</param>
    /// <param name="example">The number of the example.</param>
    /// <exception cref="ShapeException">A span does not fit its shape, or the augmentation cannot take the shape.</exception>
    /// <exception cref="AugmentationException">An augmentation failed.</exception>
    public void Apply(
        ReadOnlySpan<float> image, Shape shape, Span<float> result, ulong seed = 0, int epoch = 1, int example = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(example);
        Shape output = OutputShape(shape);
        if (image.Length != shape.Count || result.Length != output.Count)
        {
            throw new ShapeException(
                $"{Name}: expected {shape.Count} numbers of shape {shape} and room for {output.Count} of shape {output}, got {image.Length} and {result.Length}.");
        }

        AugmentOne(image, shape, result, new Key(seed, epoch, example, 0));
    }

    /// <summary>
    /// A view of a dataset whose images are augmented when they are read, with the random numbers of epoch 1: always alike, for
    /// <see cref="CenterCrop"/>, <see cref="Resize"/> or <see cref="Normalize"/> on the examples to validate on.
    /// </summary>
    /// <param name="data">Images.</param>
    /// <param name="seed">What the random numbers are made from; default 0.</param>
    /// <exception cref="ShapeException">The augmentation cannot take the examples' shape.</exception>
    public Dataset Apply(Dataset data, ulong seed = 0)
    {
        ArgumentNullException.ThrowIfNull(data);
        Shape shape = data.ExampleShape, output = OutputShape(shape);
        return data.WithFeatures(store => new AugmentedStore(store, this, shape, output, seed), output.ToArray());
    }

    /// <inheritdoc/>
    void IBatchTransform.Apply(in TransformContext context)
    {
        Shape shape = context.ExampleShape;
        int count = context.Examples.Length, size = (int)shape.Count, outputSize = context.Output.Length / count;
        for (int i = 0; i < count && !context.Stop.IsCancellationRequested; i++)
        {
            AugmentOne(
                context.Features.Slice(i * size, size), shape, context.Output.Slice(i * outputSize, outputSize),
                new Key(context.Seed, context.Epoch, context.Examples[i], context.Place));
        }
    }

    /// <summary>Changes an image.</summary>
    /// <param name="image">Pixels to change or to <see cref="AugmentationImage.Replace"/>, and random numbers. It is the
    /// thread's own, to be used within the call alone.</param>
    protected abstract void Augment(AugmentationImage image);

    /// <summary>The shape of the image that this makes of one of another shape; by default the same.</summary>
    /// <param name="shape">[height, width, channels].</param>
    /// <exception cref="ShapeException">The augmentation cannot take images of this shape.</exception>
    protected virtual Shape ShapeAfter(Shape shape) => shape;

    /// <summary>Changes an image with the random numbers of a place.</summary>
    internal void Run(AugmentationImage image, int place)
    {
        AugmentationRandom.State before = image.Random.Enter(place);
        image.Current = this;
        Augment(image);
        image.Random.Restore(before);
    }

    internal void AugmentOne(ReadOnlySpan<float> pixels, Shape shape, Span<float> result, Key key)
    {
        // Taken while it is used: an augmentation that reads an augmented dataset gets another one.
        AugmentationImage image = ThreadImage;
        _threadImage = null;
        image.Load(pixels, shape[0], shape[1], shape[2]);
        image.Random.Begin(RandomUse.Augmentation, key.Seed, key.Epoch, key.Example);
        try
        {
            Run(image, key.Place);
        }
        catch (Exception e)
        {
            throw new AugmentationException($"{image.Current!.Name}: example {key.Example} in epoch {key.Epoch}: {e.Message}", e);
        }
        finally
        {
            _threadImage = image;
        }

        if (image.Pixels.Length != result.Length)
        {
            throw new AugmentationException(
                $"{Name}: example {key.Example}: expected the {result.Length} numbers of its output shape, got [{image.Height}, {image.Width}, {image.Channels}].");
        }

        image.Pixels.CopyTo(result);
    }

    /// <summary>What the random numbers of an example are made from.</summary>
    internal readonly record struct Key(ulong Seed, int Epoch, int Example, int Place);

    /// <summary>Another store's images, augmented.</summary>
    private sealed class AugmentedStore(FeatureStore inner, Augmentation augmentation, Shape shape, Shape output, ulong seed)
        : FeatureStore(inner.Rows, checked((int)output.Count), inner.TargetSize)
    {
        public override void CopyRow(int row, Span<float> destination, Span<float> target)
        {
            float[] buffer = System.Buffers.ArrayPool<float>.Shared.Rent(inner.Size);
            try
            {
                Span<float> pixels = buffer.AsSpan(0, inner.Size);
                inner.CopyRow(row, pixels, target);
                augmentation.AugmentOne(pixels, shape, destination[..Size], new Key(seed, 1, row, 0));
            }
            finally
            {
                System.Buffers.ArrayPool<float>.Shared.Return(buffer);
            }
        }
    }
}

/// <summary>An augmentation failed on an example.</summary>
/// <param name="message">The augmentation, the example and the cause, in one line.</param>
/// <param name="inner">What the augmentation threw.</param>
public sealed class AugmentationException(string message, Exception? inner = null) : InvalidOperationException(message, inner);

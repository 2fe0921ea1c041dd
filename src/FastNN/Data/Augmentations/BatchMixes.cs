using System.Numerics.Tensors;
using FastNN.Tensors;

namespace FastNN.Data;

/// <summary>
/// Mixes each example of a batch with the one before it, the first with the last, and their targets alike. Targets are vectors,
/// such as probabilities: take <see cref="Dataset.OneHot()"/> and <c>Loss.CrossEntropy</c>; examples to validate on need one-hot
/// targets, too. How much is a function of seed, epoch and batch. Label smoothing may be set on the loss: it is linear in the
/// targets, so smoothing and mixing give the same in either order.
/// </summary>
public abstract class BatchMix : IBatchTransform
{
    private protected BatchMix(double alpha)
    {
        Alpha = AugmentationArguments.Positive(Name, alpha);
    }

    /// <summary>Both parameters of the Beta distribution that the share of an example is drawn from.</summary>
    public double Alpha { get; }

    private protected string Name => GetType().Name;

    /// <inheritdoc/>
    public virtual Shape OutputShape(Shape exampleShape) => exampleShape;

    /// <inheritdoc/>
    public void Apply(in TransformContext context)
    {
        if (context.Targets.IsEmpty)
        {
            throw new InvalidOperationException(
                $"{Name}: expected target vectors to mix, got class indices; take OneHot() of the dataset and Loss.CrossEntropy.");
        }

        AugmentationImage workspace = Augmentation.ThreadImage;
        workspace.Random.Begin(RandomUse.BatchMix, context.Seed, context.Epoch, context.Batch);
        workspace.Random.Enter(context.Place);
        float share = MixFeatures(context, workspace);
        int count = context.Examples.Length;
        Blend(context.Targets, count, share, workspace);
    }

    /// <summary>Mixes the features; gives the share of each example that stays its own.</summary>
    private protected abstract float MixFeatures(in TransformContext context, AugmentationImage workspace);

    /// <summary>Makes share * each + (1 - share) * the one before it of rows, the first's being the last.</summary>
    private protected static void Blend(Span<float> rows, int count, float share, AugmentationImage workspace)
    {
        int size = rows.Length / count;
        Span<float> last = workspace.Scratch(size);
        rows[^size..].CopyTo(last);
        for (int i = count - 1; i >= 0; i--)
        {
            // From the last on, so that the one before is still as it was.
            Span<float> row = rows.Slice(i * size, size), before = i > 0 ? rows.Slice((i - 1) * size, size) : last;
            TensorPrimitives.Multiply(row, share, row);
            TensorPrimitives.MultiplyAdd(before, 1 - share, row, row);
        }
    }
}

/// <summary>Blends each example with another (Zhang, Cisse, Dauphin and Lopez-Paz, "mixup", 2017).</summary>
/// <param name="alpha">Of the Beta distribution; default 1, which is uniform.</param>
/// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.MixUp.html"/>
public sealed class MixUp(double alpha = 1) : BatchMix(alpha)
{
    private protected override float MixFeatures(in TransformContext context, AugmentationImage workspace)
    {
        float share = (float)workspace.Random.Beta(Alpha);
        Blend(context.Output, context.Examples.Length, share, workspace);
        return share;
    }
}

/// <summary>
/// Pastes a rectangle of another example into each, the same for all of a batch (Yun and others, "CutMix", 2019). The share of a
/// target is the area that stayed.
/// </summary>
/// <param name="alpha">Of the Beta distribution; default 1, which is uniform.</param>
/// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.CutMix.html"/>
public sealed class CutMix(double alpha = 1) : BatchMix(alpha)
{
    /// <inheritdoc/>
    public override Shape OutputShape(Shape exampleShape) => exampleShape.Rank == 3 && exampleShape.Count > 0
        ? exampleShape
        : throw new ShapeException($"{Name}: expected images of shape [height, width, channels], got {exampleShape}.");

    private protected override float MixFeatures(in TransformContext context, AugmentationImage workspace)
    {
        AugmentationRandom random = workspace.Random;
        (int height, int width, int channels) = (context.ExampleShape[0], context.ExampleShape[1], context.ExampleShape[2]);
        double half = 0.5 * Math.Sqrt(1 - random.Beta(Alpha));
        int x = random.Below(width), y = random.Below(height), halfWidth = (int)(half * width), halfHeight = (int)(half * height);
        int left = Math.Max(x - halfWidth, 0), right = Math.Min(x + halfWidth, width);
        int top = Math.Max(y - halfHeight, 0), bottom = Math.Min(y + halfHeight, height);
        int count = context.Examples.Length, size = height * width * channels, length = (right - left) * channels;
        Span<float> images = context.Output, last = workspace.Scratch(size);
        images[^size..].CopyTo(last);
        for (int i = count - 1; i >= 0; i--)
        {
            Span<float> before = i > 0 ? images.Slice((i - 1) * size, size) : last;
            for (int row = top; row < bottom; row++)
            {
                int at = ((row * width) + left) * channels;
                before.Slice(at, length).CopyTo(images[((i * size) + at)..]);
            }
        }

        return (float)(1 - ((double)(right - left) * (bottom - top) / (width * height)));
    }
}

using FastNN.Data;
using FastNN.Tensors;

namespace FastNN.Tests.Data.Augmentations;

/// <summary>Images to augment, and the random numbers that an augmentation by itself draws.</summary>
internal static class Images
{
    public const ulong Seed = 77;

    /// <summary>Numbers in [0, 1) that a seed decides.</summary>
    public static float[] Random(Shape shape, uint number = 0)
    {
        var pixels = new float[shape.Count];
        Philox.FillUniform(pixels, 5, Philox.Stream(RandomUse.Data, number));
        return pixels;
    }

    /// <summary>Every pixel another number.</summary>
    public static float[] Numbered(Shape shape) => [.. Enumerable.Range(1, (int)shape.Count).Select(i => (float)i)];

    public static float[] Run(Augmentation augmentation, float[] image, Shape shape, int example = 0, int epoch = 1)
    {
        var result = new float[augmentation.OutputShape(shape).Count];
        augmentation.Apply(image, shape, result, Seed, epoch, example);
        return result;
    }

    /// <summary>What an augmentation draws for an example, at a place.</summary>
    public static AugmentationRandom Draws(int example = 0, int epoch = 1, int place = 0)
    {
        var random = new AugmentationRandom();
        random.Begin(RandomUse.Augmentation, Seed, epoch, example);
        random.Enter(place);
        return random;
    }

    /// <summary>Images with a class each, as a dataset.</summary>
    public static Dataset Dataset(int count, Shape shape, int classes = 3) => FastNN.Data.Dataset.FromFloats(
        Random(shape.Prepend(count)), shape.ToArray(), [.. Enumerable.Range(0, count).Select(i => i % classes)], classes);
}

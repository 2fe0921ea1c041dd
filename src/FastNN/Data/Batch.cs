namespace FastNN.Data;

/// <summary>
/// A batch of a <see cref="DataLoader"/>. The spans lie in the loader's own memory: they hold until the next call of
/// <see cref="DataLoader.TryNext"/>, <see cref="DataLoader.StartEpoch(int, int, CancellationToken)"/> or
/// <see cref="DataLoader.Dispose"/>.
/// </summary>
public readonly ref struct Batch
{
    internal Batch(
        int index, ReadOnlySpan<int> examples, ReadOnlySpan<float> features, ReadOnlySpan<int> labels,
        ReadOnlySpan<float> targets)
    {
        Index = index;
        Examples = examples;
        Features = features;
        Labels = labels;
        Targets = targets;
    }

    /// <summary>The number of the batch in its epoch, from 0.</summary>
    public int Index { get; }

    /// <summary>The number of examples; the last batch of an epoch may have fewer than the others.</summary>
    public int Count => Examples.Length;

    /// <summary>The numbers of the examples in the dataset.</summary>
    public ReadOnlySpan<int> Examples { get; }

    /// <summary>
    /// The features, one example after the other; each of the loader's <see cref="DataLoader.ExampleShape"/>.
    /// </summary>
    public ReadOnlySpan<float> Features { get; }

    /// <summary>The class indices; empty where the targets are vectors.</summary>
    public ReadOnlySpan<int> Labels { get; }

    /// <summary>The target vectors, one after the other; empty where the targets are class indices.</summary>
    public ReadOnlySpan<float> Targets { get; }
}

/// <summary>What a <see cref="IBatchTransform"/> gets to work on.</summary>
public readonly ref struct TransformContext
{
    internal TransformContext(
        Span<float> features, ReadOnlySpan<int> exampleShape, ReadOnlySpan<int> examples, ulong seed, int epoch, int batch,
        CancellationToken stop = default)
    {
        Features = Output = features;
        ExampleShape = exampleShape;
        Examples = examples;
        Seed = seed;
        Epoch = epoch;
        Batch = batch;
        Stop = stop;
    }

    /// <summary>
    /// The features of the batch, one example after the other, to be changed in place; by a transform that changes their shape,
    /// to be read.
    /// </summary>
    public Span<float> Features { get; }

    /// <summary>
    /// Where the changed features go: <see cref="Features"/> itself, but for a transform that changes their shape, which writes
    /// here examples of its <see cref="IBatchTransform.OutputShape"/>, one after the other.
    /// </summary>
    public Span<float> Output { get; internal init; }

    /// <summary>The target vectors, one after the other, to be changed in place; empty where targets are class indices.</summary>
    public Span<float> Targets { get; internal init; }

    /// <summary>The shape of one example of <see cref="Features"/>.</summary>
    public ReadOnlySpan<int> ExampleShape { get; }

    /// <summary>The numbers of the examples in the dataset.</summary>
    public ReadOnlySpan<int> Examples { get; }

    /// <summary>The loader's seed.</summary>
    public ulong Seed { get; }

    /// <summary>The epoch, counted from 1.</summary>
    public int Epoch { get; }

    /// <summary>The index of the batch in its epoch, from 0 on.</summary>
    public int Batch { get; }

    /// <summary>Signaled when the loader is disposed; a transform that takes long should look at it.</summary>
    public CancellationToken Stop { get; }

    /// <summary>The first place among all transforms of the batch that this one may draw random numbers for.</summary>
    internal int Place { get; init; }
}

/// <summary>
/// Changes the features, or the target vectors, of a batch after it was gathered, on a background thread of the loader:
/// augmentation. The result must be a function of the context alone, or runs can be neither repeated nor resumed; and where the
/// loader has more than one thread, any number of them call at once. <see cref="Augmentation"/> is for images, one by one.
/// </summary>
public interface IBatchTransform
{
    /// <summary>The shape that examples have afterwards; by default the one that they had.</summary>
    /// <param name="exampleShape">The shape of one example of the dataset.</param>
    /// <exception cref="ShapeException">The transform cannot take examples of this shape.</exception>
    Shape OutputShape(Shape exampleShape) => exampleShape;

    /// <summary>Changes the features in place, or writes others where their shape changes.</summary>
    void Apply(in TransformContext context);
}

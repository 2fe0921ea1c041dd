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
    /// The features, <see cref="Count"/> * <see cref="Dataset.ExampleSize"/> floats, one example after the other.
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
        Features = features;
        ExampleShape = exampleShape;
        Examples = examples;
        Seed = seed;
        Epoch = epoch;
        Batch = batch;
        Stop = stop;
    }

    /// <summary>The features of the batch, one example after the other, to be changed in place.</summary>
    public Span<float> Features { get; }

    /// <summary>The shape of one example.</summary>
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
}

/// <summary>
/// Changes the features of a batch after it was gathered, on the loader's background thread: augmentation.
/// The result must be a function of the context alone, or runs can be neither repeated nor resumed.
/// </summary>
public interface IBatchTransform
{
    /// <summary>Changes the features in place.</summary>
    void Apply(in TransformContext context);
}

namespace FastNN.Data;

/// <summary>
/// Examples that are read when they are needed: data larger than memory, images in a folder, rows of a database.
/// <see cref="Dataset.FromSource"/> makes a dataset of it. Loaders read from their own threads, and any number of them at once.
/// </summary>
public interface IExampleSource
{
    /// <summary>The number of examples; at least 1, and always the same.</summary>
    int Count { get; }

    /// <summary>The shape of one example's features.</summary>
    Shape ExampleShape { get; }

    /// <summary>The shape of one example's target vector; not looked at where there are <see cref="Classes"/>.</summary>
    Shape TargetShape { get; }

    /// <summary>The number of classes where targets are class indices; 0 (the default) where they are vectors.</summary>
    int Classes => 0;

    /// <summary>Reads one example.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    /// <param name="features">Takes the features; as many as <see cref="ExampleShape"/> has.</param>
    /// <param name="target">Takes the target vector, or the class index as its only element.</param>
    void Read(int index, Span<float> features, Span<float> target);
}

/// <summary>Makes the features of one example from others.</summary>
/// <param name="features">The features.</param>
/// <param name="result">Where the new ones go; every element has to be written.</param>
public delegate void FeatureMap(ReadOnlySpan<float> features, Span<float> result);

/// <summary>One example, copied out of a dataset.</summary>
public sealed class Example
{
    internal Example(float[] features, int? label, float[] target)
    {
        Features = features;
        Label = label;
        Target = target;
    }

    /// <summary>The features, row-major.</summary>
    public IReadOnlyList<float> Features { get; }

    /// <summary>The class index; null where the targets never were classes.</summary>
    public int? Label { get; }

    /// <summary>The target vector; empty where the targets are class indices.</summary>
    public IReadOnlyList<float> Target { get; }
}

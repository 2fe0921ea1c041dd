using System.Buffers;
using System.Globalization;

namespace FastNN.Data;

/// <summary>
/// Examples with their targets. Features are floats to the outside, of one shape for every example; images stay bytes inside
/// and are converted when a batch is made. Targets are class indices (<see cref="HasLabels"/>) or vectors of floats.
/// A dataset never changes: <see cref="Take"/>, <see cref="Split(int)"/>, <see cref="OneHot()"/> and their like are views that
/// share the memory of the original, and any number of threads may read one.
/// </summary>
public sealed partial class Dataset : IReadOnlyList<Example>
{
    private readonly FeatureStore _features;
    private readonly TargetStore _targets;
    private readonly int[] _exampleShape;
    private readonly int[]? _rows;
    private readonly Names _names;

    private Dataset(FeatureStore features, int[] exampleShape, TargetStore targets, Names names, int[]? rows, int count)
    {
        _features = features;
        _exampleShape = exampleShape;
        _targets = targets;
        _names = names;
        _rows = rows;
        Count = count;
    }

    /// <summary>The number of examples; at least 1.</summary>
    public int Count { get; }

    /// <summary>
    /// The shape of one example's features, such as <c>[28, 28, 1]</c> (height, width, channels) or <c>[30]</c>.
    /// </summary>
    public ReadOnlySpan<int> ExampleShape => _exampleShape;

    /// <summary>The number of floats in one example's features.</summary>
    public int ExampleSize => _features.Size;

    /// <summary>Whether the targets are class indices; otherwise they are vectors of floats.</summary>
    public bool HasLabels => _targets.Kind == TargetKind.Labels;

    /// <summary>The shape of one example's target vector; empty for class indices.</summary>
    public ReadOnlySpan<int> TargetShape => HasLabels ? [] : _targets.Shape;

    /// <summary>The number of floats in one example's target vector; 0 for class indices.</summary>
    public int TargetSize => _targets.Size;

    /// <summary>The number of classes, also behind a one-hot or binary view; 0 where the targets never were classes.</summary>
    public int Classes => _targets.Classes;

    /// <summary>A name for each class: the given ones, else "0", "1", ...; empty where there are no classes.</summary>
    public IReadOnlyList<string> ClassNames => _names.Classes ??= Numbers(Classes);

    /// <summary>A name for each feature of a table; empty where none are known.</summary>
    public IReadOnlyList<string> FeatureNames => _names.Features;

    /// <summary>Examples of bytes with class indices; the arrays are kept, not copied.</summary>
    /// <param name="features">Row-major, one example after the other.</param>
    /// <param name="exampleShape">The shape of one example.</param>
    /// <param name="labels">A class index for each example.</param>
    /// <param name="classNames">A name for each class; their number is the number of classes.</param>
    /// <param name="scale">What each byte is multiplied with; 1/255 by default, which gives values from 0 to 1.</param>
    /// <exception cref="ArgumentException">Lengths disagree, a size is not positive, or a label is out of range.</exception>
    public static Dataset FromBytes(byte[] features, ReadOnlySpan<int> exampleShape, int[] labels,
        IReadOnlyList<string> classNames, float scale = 1f / 255)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(classNames);
        if (!float.IsFinite(scale))
        {
            throw new ArgumentException($"expected a finite scale, got {scale}", nameof(scale));
        }

        int size = CheckSize(features.Length, exampleShape, labels.Length);
        return FromStore(new ByteStore(features, size, scale), exampleShape, labels, classNames.Count, new Names(classNames));
    }

    /// <summary>Examples of floats with class indices; the arrays are kept, not copied.</summary>
    /// <param name="features">Row-major, one example after the other; all finite.</param>
    /// <param name="exampleShape">The shape of one example.</param>
    /// <param name="labels">A class index for each example.</param>
    /// <param name="classes">The number of classes.</param>
    /// <param name="classNames">A name for each class, or null for numbers.</param>
    /// <param name="featureNames">A name for each feature, or null.</param>
    /// <exception cref="ArgumentException">Lengths disagree, a size is not positive, a feature is NaN or infinite, or a label is
    /// out of range.</exception>
    public static Dataset FromFloats(float[] features, ReadOnlySpan<int> exampleShape, int[] labels, int classes,
        IReadOnlyList<string>? classNames = null, IReadOnlyList<string>? featureNames = null)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(labels);
        int size = CheckSize(features.Length, exampleShape, labels.Length);
        CheckFinite(features, size, "feature");
        return FromStore(new FloatStore(features, size), exampleShape, labels, classes, new Names(classNames, featureNames));
    }

    /// <summary>Examples of floats with vectors as targets; the arrays are kept, not copied.</summary>
    /// <param name="features">Row-major, one example after the other; all finite.</param>
    /// <param name="exampleShape">The shape of one example.</param>
    /// <param name="targets">Row-major, one target after the other; all finite.</param>
    /// <param name="targetShape">The shape of one target, such as <c>[1]</c>.</param>
    /// <param name="featureNames">A name for each feature, or null.</param>
    /// <exception cref="ArgumentException">Lengths disagree, a size is not positive, or a value is NaN or infinite.</exception>
    public static Dataset FromFloats(float[] features, ReadOnlySpan<int> exampleShape, float[] targets,
        ReadOnlySpan<int> targetShape, IReadOnlyList<string>? featureNames = null)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(targets);
        int targetSize = Size(targetShape, nameof(targetShape));
        int count = targets.Length / targetSize;
        if (targets.Length % targetSize != 0)
            throw new ArgumentException(
                $"expected a multiple of {targetSize} target values, got {targets.Length}", nameof(targets));
        int size = CheckSize(features.Length, exampleShape, count);
        CheckFinite(features, size, "feature");
        CheckFinite(targets, targetSize, "target");
        var store = new TargetStore(TargetKind.Values, null, targets, targetShape.ToArray(), 0);
        return new Dataset(
            new FloatStore(features, size), exampleShape.ToArray(), store, new Names(null, featureNames), null, count);
    }

    /// <summary>Examples that a source reads when they are needed.</summary>
    /// <param name="source">The source.</param>
    /// <param name="classNames">A name for each class, or null for numbers.</param>
    /// <param name="featureNames">A name for each feature, or null.</param>
    /// <exception cref="ArgumentException">The source has no example, an empty shape, or more classes than 2^24.</exception>
    public static Dataset FromSource(
        IExampleSource source, IReadOnlyList<string>? classNames = null, IReadOnlyList<string>? featureNames = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (source.Count <= 0)
        {
            throw new ArgumentException($"a dataset needs at least one example, the source has {source.Count}", nameof(source));
        }

        int classes = source.Classes;
        CheckClasses(classes, classNames);
        int[] exampleShape = source.ExampleShape.ToArray();
        int[] targetShape = classes > 0 ? [] : source.TargetShape.ToArray();
        int targetSize = Size(targetShape, nameof(source));
        var targets = new TargetStore(classes > 0 ? TargetKind.Labels : TargetKind.Values, null, null, targetShape, classes);
        var store = new SourceStore(source, Size(exampleShape, nameof(source)), targetSize);
        return new Dataset(store, exampleShape, targets, new Names(classNames, featureNames), null, source.Count);
    }

    /// <summary>Examples of any store with class indices.</summary>
    internal static Dataset FromStore(
        FeatureStore features, ReadOnlySpan<int> exampleShape, int[] labels, int classes, Names names)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        CheckClasses(classes, names.Classes);
        for (int i = 0; i < labels.Length; i++)
        {
            if ((uint)labels[i] >= (uint)classes)
                throw new ArgumentOutOfRangeException(
                    nameof(labels), $"label {labels[i]} of example {i} is out of range 0..{classes - 1}");
        }

        var targets = new TargetStore(TargetKind.Labels, labels, null, [], classes);
        return new Dataset(features, exampleShape.ToArray(), targets, names, null, labels.Length);
    }

    /// <summary>A view whose targets are vectors with a 1 at the class index and 0 elsewhere.</summary>
    /// <exception cref="InvalidOperationException">The targets are not class indices.</exception>
    public Dataset OneHot() => OneHot(Classes);

    /// <summary>A view whose targets are vectors of <paramref name="classes"/> floats with a 1 at the class index.</summary>
    /// <param name="classes">The length of the vectors, at least <see cref="Classes"/>.</param>
    /// <exception cref="InvalidOperationException">The targets are not class indices.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than the dataset's classes.</exception>
    public Dataset OneHot(int classes)
    {
        RequireLabels("one-hot vectors");
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, Classes);
        return With(_features, new TargetStore(TargetKind.OneHot, _targets.Labels, null, [classes], Classes), _rows, Count);
    }

    /// <summary>A view whose targets are one float, 0 or 1: what binary cross-entropy with one output wants.</summary>
    /// <exception cref="InvalidOperationException">The targets are not class indices, or there are not two classes.</exception>
    public Dataset BinaryTargets()
    {
        RequireLabels("binary targets");
        if (Classes != 2)
            throw new InvalidOperationException($"binary targets need 2 classes, this dataset has {Classes}");
        return With(_features, new TargetStore(TargetKind.Binary, _targets.Labels, null, [1], Classes), _rows, Count);
    }

    /// <summary>
    /// A view whose targets are its own features, as autoencoders want them: a transform that changes the features of a batch
    /// leaves the targets, so that noise can be learned away.
    /// </summary>
    public Dataset FeaturesAsTargets() => With(
        new EchoStore(_features), new TargetStore(TargetKind.Values, null, null, _exampleShape, 0), _rows, Count);

    /// <summary>
    /// A view whose features are multiplied by <paramref name="scale"/> and then increased by <paramref name="offset"/>.
    /// </summary>
    /// <example><c>Rescale(2, -1)</c> takes values from 0..1 to -1..1.</example>
    public Dataset Rescale(float scale, float offset)
    {
        if (!float.IsFinite(scale) || !float.IsFinite(offset))
            throw new ArgumentException($"scale {scale} and offset {offset} must be finite");
        return With(new RescaledStore(_features, scale, offset), _targets, _rows, Count);
    }

    /// <summary>Writes the features of one example.</summary>
    /// <param name="example">From 0 to <see cref="Count"/> - 1.</param>
    /// <param name="destination">At least <see cref="ExampleSize"/> floats.</param>
    public void CopyFeatures(int example, Span<float> destination)
    {
        int row = Row(example);
        if (destination.Length < ExampleSize)
            throw new ArgumentException(
                $"an example has {ExampleSize} floats, the destination {destination.Length}", nameof(destination));
        Read(row, destination[..ExampleSize], default);
    }

    /// <summary>The features of all examples, one after the other.</summary>
    internal float[] Features()
    {
        var features = new float[checked(Count * ExampleSize)];
        for (int i = 0; i < Count; i++)
        {
            CopyFeatures(i, features.AsSpan(i * ExampleSize));
        }

        return features;
    }

    /// <summary>The class index of one example, also behind a one-hot or binary view.</summary>
    /// <exception cref="InvalidOperationException">The targets never were class indices.</exception>
    /// <exception cref="InvalidDatasetException">The label is out of range: the array was changed after the dataset was made, or
    /// the source gave something else.</exception>
    public int LabelOf(int example)
    {
        int row = Row(example);
        if (Classes == 0)
        {
            throw new InvalidOperationException("the targets of this dataset are floats, not class indices");
        }

        if (_targets.Labels is not null)
        {
            return _targets.Label(row, default);
        }

        float[] scratch = ArrayPool<float>.Shared.Rent(ExampleSize);
        try
        {
            return Read(row, scratch.AsSpan(0, ExampleSize), default);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(scratch);
        }
    }

    /// <summary>Writes the target vector of one example.</summary>
    /// <param name="example">From 0 to <see cref="Count"/> - 1.</param>
    /// <param name="destination">At least <see cref="TargetSize"/> floats.</param>
    /// <exception cref="InvalidOperationException">The targets are class indices.</exception>
    public void CopyTarget(int example, Span<float> destination)
    {
        int row = Row(example);
        if (HasLabels)
        {
            throw new InvalidOperationException(
                "the targets of this dataset are class indices; take OneHot() or BinaryTargets()");
        }

        if (destination.Length < TargetSize)
        {
            throw new ArgumentException(
                $"a target has {TargetSize} floats, the destination {destination.Length}", nameof(destination));
        }

        destination = destination[..TargetSize];
        if (_features.TargetSize == 0)
        {
            _targets.CopyRow(row, _targets.Label(row, default), default, destination);
            return;
        }

        float[] scratch = ArrayPool<float>.Shared.Rent(ExampleSize);
        try
        {
            Read(row, scratch.AsSpan(0, ExampleSize), destination);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(scratch);
        }
    }

    /// <summary>
    /// Writes features and target vector of one example, which a source then reads once; returns its class index, or -1 where
    /// there are no classes. Allocates nothing.
    /// </summary>
    internal int CopyExample(int example, Span<float> features, Span<float> target) =>
        Read(Row(example), features[..ExampleSize], target);

    // A target that nobody wants is an empty span.
    private int Read(int row, Span<float> features, Span<float> target)
    {
        const int Small = 256;
        int size = _features.TargetSize;
        float[]? rented = size > Small ? ArrayPool<float>.Shared.Rent(size) : null;
        try
        {
            Span<float> source = rented is null ? stackalloc float[Small] : rented;
            _features.CopyRow(row, features, source[..size]);
            if (target.IsEmpty && size == 0)
            {
                return _targets.Labels is null ? -1 : _targets.Label(row, default);
            }

            int label = _targets.Label(row, source);
            if (!target.IsEmpty)
            {
                _targets.CopyRow(row, label, source, target);
            }

            return label;
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<float>.Shared.Return(rented);
            }
        }
    }

    /// <summary>The same examples and targets with other features, of the same shape unless one is given.</summary>
    internal Dataset WithFeatures(Func<FeatureStore, FeatureStore> change, int[]? exampleShape = null) =>
        new(change(_features), exampleShape ?? _exampleShape, _targets, _names, _rows, Count);

    /// <summary>The same examples with each float target less a mean and times a factor.</summary>
    internal Dataset WithTargets(float[] mean, float[] factor)
    {
        if (_targets.Values is null)
        {
            return With(new StandardizedTargetStore(_features, mean, factor), _targets, _rows, Count);
        }

        float[] values = [.. _targets.Values];
        for (int at = 0; at < values.Length; at += mean.Length)
        {
            Standardizer.Apply(values.AsSpan(at, mean.Length), mean, factor);
        }

        return With(_features, _targets with { Values = values }, _rows, Count);
    }

    /// <summary>The same examples with names for their features.</summary>
    internal Dataset WithFeatureNames(string[] names) =>
        new(_features, _exampleShape, _targets, new Names(_names.Classes, names), _rows, Count);

    private Dataset With(FeatureStore features, TargetStore targets, int[]? rows, int count) =>
        new(features, _exampleShape, targets, _names, rows, count);

    private int Row(int example)
    {
        if ((uint)example >= (uint)Count)
            throw new ArgumentOutOfRangeException(nameof(example), example, $"there are {Count} examples");
        return _rows is null ? example : _rows[example];
    }

    private void RequireLabels(string wanted)
    {
        if (!HasLabels)
            throw new InvalidOperationException($"{wanted} are made from class indices, which this dataset does not hand out");
    }

    // A source gives class indices as floats, which are exact up to 2^24.
    private static void CheckClasses(int classes, IReadOnlyList<string>? names)
    {
        if (classes is < 0 or > 1 << 24)
        {
            throw new ArgumentException($"expected 0 to {1 << 24} classes, got {classes}");
        }

        if (names is not null && names.Count != classes)
        {
            throw new ArgumentException($"{names.Count} class names for {classes} classes");
        }
    }

    private static int CheckSize(int features, ReadOnlySpan<int> exampleShape, int count)
    {
        int size = Size(exampleShape, nameof(exampleShape));
        if (count == 0)
            throw new ArgumentException("a dataset needs at least one example");
        if (features != (long)size * count)
        {
            throw new ArgumentException(
                $"{count} examples of [{string.Join(", ", exampleShape.ToArray())}] need {(long)size * count} values, got {features}");
        }

        return size;
    }

    private static int Size(ReadOnlySpan<int> shape, string parameter)
    {
        long size = 1;
        foreach (int length in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length, parameter);
            size *= length;
            if (size > Array.MaxLength)
                throw new ArgumentOutOfRangeException(parameter, $"[{string.Join(", ", shape.ToArray())}] is too large");
        }

        return (int)size;
    }

    private static void CheckFinite(float[] values, int size, string what)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
                throw new ArgumentException($"{what} {i % size} of example {i / size} is {values[i]}");
        }
    }

    private static string[] Numbers(int count)
    {
        var names = new string[count];
        for (int i = 0; i < count; i++)
            names[i] = i.ToString(CultureInfo.InvariantCulture);
        return names;
    }

    /// <summary>Names shared by all views; class names are made up only when somebody asks for them.</summary>
    internal sealed class Names(IReadOnlyList<string>? classes, IReadOnlyList<string>? features = null)
    {
        public IReadOnlyList<string>? Classes { get; set; } = classes;

        public IReadOnlyList<string> Features { get; } = features ?? [];
    }
}

/// <summary>A dataset in two parts; <c>(Dataset train, Dataset test) = data.Split(0.2)</c> takes it apart.</summary>
/// <param name="train">The part to train on.</param>
/// <param name="test">The part held out, to validate or test on.</param>
public sealed class DatasetSplit(Dataset train, Dataset test)
{
    /// <summary>The part to train on.</summary>
    public Dataset Train { get; } = train;

    /// <summary>The part held out, to validate or test on.</summary>
    public Dataset Test { get; } = test;

    /// <summary>Takes the split apart.</summary>
    /// <param name="train">The part to train on.</param>
    /// <param name="test">The part held out.</param>
    public void Deconstruct(out Dataset train, out Dataset test) => (train, test) = (Train, Test);
}

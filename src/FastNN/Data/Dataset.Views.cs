using System.Collections;
using FastNN.Tensors;

namespace FastNN.Data;

/// <summary>Views: other examples, another order, other features, in the memory of the original.</summary>
public sealed partial class Dataset
{
    /// <summary>One example, copied; for looking at. Loaders and <see cref="CopyFeatures"/> allocate nothing.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    public Example this[int index]
    {
        get
        {
            var features = new float[ExampleSize];
            var target = new float[TargetSize];
            int row = Row(index);
            int label = Read(row, features, target);
            return new Example(features, Classes > 0 ? label : null, target);
        }
    }

    /// <summary>All examples in their order, copied.</summary>
    public IEnumerator<Example> GetEnumerator()
    {
        for (int i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The first <paramref name="count"/> examples, or all where there are fewer.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The count is not positive.</exception>
    public Dataset Take(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        return count >= Count ? this : With(_features, _targets, _rows, count);
    }

    /// <summary>All examples but the first <paramref name="count"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative, or nothing would be left.</exception>
    public Dataset Skip(int count)
    {
        if (count < 0 || count >= Count)
        {
            throw new ArgumentOutOfRangeException(
                nameof(count), $"expected 0 to {Count - 1} of {Count} examples to skip, got {count}");
        }

        return count == 0 ? this : With(_features, _targets, Rows(count), Count - count);
    }

    /// <summary>The examples in another order.</summary>
    /// <param name="seed">The order is a function of the seed and the number of examples.</param>
    public Dataset Shuffle(ulong seed)
    {
        int[] rows = Rows(0);
        Philox.Shuffle(rows, seed, Philox.Stream(RandomUse.Split));
        return With(_features, _targets, rows, Count);
    }

    /// <summary>The first <paramref name="trainCount"/> examples to train on and the rest to test on, in their order.</summary>
    /// <exception cref="ArgumentOutOfRangeException">One of the two would be empty.</exception>
    public DatasetSplit Split(int trainCount)
    {
        if (trainCount <= 0 || trainCount >= Count)
        {
            throw new ArgumentOutOfRangeException(
                nameof(trainCount),
                $"expected 1 to {Count - 1} of {Count} examples in the first part, so that neither is empty, got {trainCount}");
        }

        return new DatasetSplit(Take(trainCount), Skip(trainCount));
    }

    /// <summary>Shuffles the examples by the seed and holds out a part of them, to validate or test on.</summary>
    /// <param name="testFraction">The part held out, between 0 and 1; rounded to whole examples.</param>
    /// <param name="seed">The split is a function of the seed and the number of examples; default 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The fraction is not between 0 and 1, or one part would be empty.</exception>
    public DatasetSplit Split(double testFraction, ulong seed = 0)
    {
        if (!(testFraction > 0 && testFraction < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(testFraction), testFraction, "the fraction must lie between 0 and 1");
        }

        int held = (int)Math.Round(Count * testFraction, MidpointRounding.AwayFromZero);
        if (held == 0 || held == Count)
        {
            throw new ArgumentOutOfRangeException(
                nameof(testFraction),
                $"a fraction of {testFraction} of {Count} examples leaves one part empty; more examples or another fraction are needed");
        }

        return Shuffle(seed).Split(Count - held);
    }

    /// <summary>A view of the examples that a condition keeps, in their order; each is looked at once, now.</summary>
    /// <param name="predicate">Whether an example stays.</param>
    /// <exception cref="ArgumentException">No example stays.</exception>
    public Dataset Where(Func<Example, bool> predicate)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        int[] rows = [.. Enumerable.Range(0, Count).Where(i => predicate(this[i])).Select(Row)];
        return rows.Length > 0
            ? With(_features, _targets, rows, rows.Length)
            : throw new ArgumentException(
                $"expected a condition that keeps at least one of {Count} examples, it keeps none", nameof(predicate));
    }

    /// <summary>The examples of this dataset, then those of another.</summary>
    /// <param name="other">One with examples, targets and classes of the same shapes and numbers.</param>
    /// <exception cref="ArgumentException">It differs in one of them.</exception>
    public Dataset Concat(Dataset other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (!ExampleShape.SequenceEqual(other.ExampleShape) || HasLabels != other.HasLabels
            || !TargetShape.SequenceEqual(other.TargetShape) || Classes != other.Classes)
        {
            throw new ArgumentException($"expected {Describe()}, got {other.Describe()}", nameof(other));
        }

        TargetKind kind = HasLabels ? TargetKind.Labels : TargetKind.Values;
        var store = new ConcatenatedStore(this, other);
        return new Dataset(
            store, _exampleShape, new TargetStore(kind, null, null, HasLabels ? [] : _targets.Shape, HasLabels ? Classes : 0),
            _names, null, store.Rows);
    }

    /// <summary>A view whose features a function makes when they are read, on the thread that reads them.</summary>
    /// <param name="map">Gets the features of one example and writes the new ones; the result must depend on nothing
    /// else.</param>
    /// <param name="exampleShape">The shape of the new features; null for the same as before.</param>
    public Dataset Map(FeatureMap map, Shape? exampleShape = null)
    {
        ArgumentNullException.ThrowIfNull(map);
        int[] shape = exampleShape?.ToArray() ?? _exampleShape;
        return new Dataset(
            new MappedStore(_features, map, Size(shape, nameof(exampleShape))), shape, _targets, new Names(_names.Classes), _rows,
            Count);
    }

    private string Describe() =>
        $"examples of [{string.Join(", ", _exampleShape)}] with {(HasLabels ? $"indices of {Classes} classes" : $"targets of [{string.Join(", ", _targets.Shape)}]")}";

    private int[] Rows(int first)
    {
        var rows = new int[Count - first];
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = Row(first + i);
        }

        return rows;
    }
}

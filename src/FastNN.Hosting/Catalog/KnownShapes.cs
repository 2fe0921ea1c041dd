namespace FastNN.Hosting;

/// <summary>
/// The sets of input shapes that a model computed first, so that the one that takes its place can be warmed up with them.
/// Thread-safe; one that it knows costs a comparison.
/// </summary>
internal sealed class KnownShapes
{
    private const int Most = 32;

    private readonly Lock _lock = new();
    private int[][][] _known = [];

    /// <summary>All of them.</summary>
    public IReadOnlyList<int[][]> Read() => Volatile.Read(ref _known);

    /// <summary>Takes note of a batch's shapes.</summary>
    public void Add(ReadOnlySpan<QueuedCall> batch, int inputs, int rows)
    {
        if (IsFull || IsKnown(batch, rows))
        {
            return;
        }

        lock (_lock)
        {
            if (IsFull || IsKnown(batch, rows))
            {
                return;
            }

            var shapes = new int[inputs][];
            for (int i = 0; i < inputs; i++)
            {
                shapes[i] = ((ServedCall)batch[0]).Input(i).Dimensions.ToArray();
                if (batch.Length > 1)
                {
                    shapes[i][0] = rows;
                }
            }

            Volatile.Write(ref _known, [.. _known, shapes]);
        }
    }

    private bool IsFull => Volatile.Read(ref _known).Length >= Most;

    private bool IsKnown(ReadOnlySpan<QueuedCall> batch, int rows)
    {
        foreach (int[][] shapes in Volatile.Read(ref _known))
        {
            if (BatchRows.Match(shapes, batch, rows))
            {
                return true;
            }
        }

        return false;
    }
}

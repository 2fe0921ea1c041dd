namespace FastNN.Hosting;

/// <summary>Rows of several calls, one behind the other.</summary>
internal static class BatchRows
{
    /// <summary>The extents of an input for all calls of a batch together.</summary>
    /// <returns>How many there are.</returns>
    public static int Dimensions(ReadOnlySpan<QueuedCall> batch, int input, int rows, Span<int> dimensions)
    {
        ReadOnlySpan<int> first = ((ServedCall)batch[0]).Input(input).Dimensions;
        first.CopyTo(dimensions);
        if (batch.Length > 1)
        {
            dimensions[0] = rows;
        }

        return first.Length;
    }

    /// <summary>Whether a batch has these extents, one row of them for each input.</summary>
    public static bool Match(int[][] shapes, ReadOnlySpan<QueuedCall> batch, int rows)
    {
        var first = (ServedCall)batch[0];
        for (int i = 0; i < shapes.Length; i++)
        {
            ReadOnlySpan<int> own = shapes[i], given = first.Input(i).Dimensions;
            if (own.Length != given.Length
                || (batch.Length > 1 ? own[0] != rows || !own[1..].SequenceEqual(given[1..]) : !own.SequenceEqual(given)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Bytes of an input of all calls together.</summary>
    public static int Length(ReadOnlySpan<QueuedCall> batch, int input)
    {
        int length = 0;
        foreach (QueuedCall call in batch)
        {
            length = checked(length + ((ServedCall)call).Input(input).Length);
        }

        return length;
    }

    /// <summary>Copies an input of all calls behind one another.</summary>
    public static void Gather(ReadOnlySpan<QueuedCall> batch, int input, Span<byte> target)
    {
        foreach (QueuedCall call in batch)
        {
            ReadOnlySpan<byte> part = ((ServedCall)call).Input(input).Bytes;
            part.CopyTo(target);
            target = target[part.Length..];
        }
    }

    /// <summary>Gives each call its rows of an output.</summary>
    public static void Scatter(
        ReadOnlySpan<QueuedCall> batch, int output, int rows, ReadOnlySpan<int> dimensions, ReadOnlySpan<byte> bytes)
    {
        if (batch.Length == 1)
        {
            bytes.CopyTo(((ServedCall)batch[0]).SetOutput(output, dimensions, bytes.Length));
            return;
        }

        Span<int> own = stackalloc int[dimensions.Length];
        dimensions.CopyTo(own);
        int bytesOfRow = bytes.Length / rows;
        foreach (QueuedCall call in batch)
        {
            own[0] = call.Rows;
            int length = call.Rows * bytesOfRow;
            bytes[..length].CopyTo(((ServedCall)call).SetOutput(output, own, length));
            bytes = bytes[length..];
        }
    }

    /// <summary>Truth values are 0 or 1, which the kernels rely on.</summary>
    /// <exception cref="InferenceException">One is not; the queue computes a batch's other calls without it.</exception>
    public static void RequireTruthValues(ReadOnlySpan<QueuedCall> batch, IReadOnlyList<ModelTensor> inputs, int input)
    {
        foreach (QueuedCall call in batch)
        {
            ReadOnlySpan<byte> bytes = ((ServedCall)call).Input(input).Bytes;
            int place = bytes.IndexOfAnyExceptInRange((byte)0, (byte)1);
            if (place >= 0)
            {
                throw new InferenceException(
                    InferenceFailure.InvalidInput,
                    $"Input '{inputs[input].Name}': expected truth values 0 or 1, got {bytes[place]} as element {place}.");
            }
        }
    }
}

namespace FastNN.Hosting;

/// <summary>
/// Computes calls so that the answer to an example is the same, bit for bit, whatever it is computed with:
/// <see cref="BatchingOptions.BatchInvariant"/>. Thread-safe.
/// </summary>
/// <remarks>
/// <para>
/// Kernels choose their path by the number of rows, and paths add up in different orders. Most networks have one path for a
/// single row, a product of a matrix and a vector, and one for all batches; for them a single example is computed as two, and
/// the second answer thrown away. Whether a network is like that is tried when it is loaded, with random examples of the shapes
/// that are usual for it, in batches of every size that can occur.
/// </para>
/// <para>
/// What does not pass, and what has other shapes than those tried, is computed one example at a time, which is the same by
/// construction. Texts cannot be made up nor cut into examples; calls that have them are computed alone.
/// </para>
/// </remarks>
/// <param name="engine">What computes.</param>
/// <param name="maxRows">The most rows of a batch.</param>
/// <param name="begin">Begins a call of the model, for a part of another.</param>
/// <param name="time">The clock.</param>
internal sealed class InvariantRows(IModelEngine engine, int maxRows, Func<ServedCall> begin, TimeProvider time)
{
    /// <summary>
    /// The most rows of a batch: each number of them is tried when the model is loaded, and on a CPU more gain little.
    /// </summary>
    public const int MostRows = 32;

    private readonly int _maxRows = Math.Min(maxRows, MostRows);

    // Of each set of shapes that passed, the inputs' extents; the first is not compared.
    private int[][][] _passed = [];

    /// <summary>Whether it has texts, so that it cannot be tried.</summary>
    public bool HasTexts { get; } = engine.Inputs.Concat(engine.Outputs).Any(tensor => tensor.DataType == TensorDataType.Bytes);

    /// <summary>Whether a call may be computed together with others of its shapes.</summary>
    public bool Allows(ServedCall call)
    {
        foreach (int[][] shapes in Volatile.Read(ref _passed))
        {
            bool fits = true;
            for (int i = 0; fits && i < shapes.Length; i++)
            {
                fits = shapes[i].AsSpan(1).SequenceEqual(call.Input(i).Dimensions[1..]);
            }

            if (fits)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>As <see cref="IModelEngine.Execute"/>, for calls that may be computed together.</summary>
    public void Execute(ReadOnlySpan<QueuedCall> batch, int rows, ref StageClock clock)
    {
        if (batch.Length > 1 || HasTexts)
        {
            engine.Execute(batch, rows, ref clock);
            return;
        }

        var call = (ServedCall)batch[0];
        int most = Allows(call) ? _maxRows : 1;
        if (rows > most)
        {
            ExecuteParts(call, rows, most, ref clock);
        }
        else
        {
            ExecuteAlone(call, rows, most, ref clock);
        }
    }

    /// <summary>
    /// Tries whether answers depend on what is computed with them; if not, calls of these shapes are computed together from now
    /// on.
    /// </summary>
    /// <param name="shapes">Extents of the inputs; the first does not matter.</param>
    /// <returns>Whether it passed.</returns>
    /// <exception cref="InferenceException">The model does not compute random examples.</exception>
    public bool Try(int[][] shapes)
    {
        if (HasTexts || _maxRows < 2)
        {
            return false;
        }

        var calls = new QueuedCall[_maxRows];
        try
        {
            for (int i = 0; i < calls.Length; i++)
            {
                calls[i] = RandomExamples.Begin(begin, engine, shapes, seed: i);
            }

            if (!Passes(calls))
            {
                return false;
            }
        }
        finally
        {
            foreach (QueuedCall? call in calls)
            {
                call?.Dispose();
            }
        }

        Volatile.Write(ref _passed, [.. _passed, shapes]);
        return true;
    }

    private bool Passes(QueuedCall[] calls)
    {
        byte[][][] expected = new byte[calls.Length][][];
        for (int i = 0; i < calls.Length; i++)
        {
            var clock = new StageClock(time);
            ExecuteAlone((ServedCall)calls[i], 1, _maxRows, ref clock);
            expected[i] = Answers(calls[i]);
        }

        for (int rows = 2; rows <= calls.Length; rows++)
        {
            // In turn the first and the last: kernels treat the rows at a batch's end in their own way, and so each stands
            // there once.
            int first = rows % 2 == 0 ? 0 : calls.Length - rows;
            var clock = new StageClock(time);
            engine.Execute(calls.AsSpan(first, rows), rows, ref clock);
            for (int i = first; i < first + rows; i++)
            {
                if (!Same(expected[i], Answers(calls[i])))
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>Computes a call in one piece; a single row as two, unless all rows are computed singly.</summary>
    private void ExecuteAlone(ServedCall call, int rows, int most, ref StageClock clock)
    {
        if (rows == 1 && most > 1)
        {
            engine.Execute([call, call], 2, ref clock);
        }
        else
        {
            engine.Execute([call], rows, ref clock);
        }
    }

    /// <summary>Computes a call that has more rows than are computed together.</summary>
    private void ExecuteParts(ServedCall call, int rows, int most, ref StageClock clock)
    {
        clock.InputsReady();
        for (int first = 0; first < rows; first += most)
        {
            int count = Math.Min(most, rows - first);
            using ServedCall part = begin();
            for (int i = 0; i < engine.Inputs.Count; i++)
            {
                CopyRows(call.Input(i), rows, first, count, part, i);
            }

            var own = new StageClock(time);
            ExecuteAlone(part, count, most, ref own);
            for (int i = 0; i < engine.Outputs.Count; i++)
            {
                Append(part.OutputTensor(i), count, call, i, first, rows);
            }
        }

        clock.Computed();
    }

    private static void CopyRows(CallTensor input, int rows, int first, int count, ServedCall part, int index)
    {
        Span<int> dimensions = stackalloc int[input.Dimensions.Length];
        input.Dimensions.CopyTo(dimensions);
        dimensions[0] = count;
        int bytesOfRow = input.Length / rows;
        input.Bytes.Slice(first * bytesOfRow, count * bytesOfRow).CopyTo(part.SetInput(index, dimensions));
    }

    private void Append(CallTensor part, int count, ServedCall call, int index, int first, int rows)
    {
        int bytesOfRow = part.Length / count;
        if (first == 0)
        {
            Span<int> dimensions = stackalloc int[part.Dimensions.Length];
            part.Dimensions.CopyTo(dimensions);
            dimensions[0] = rows;
            call.SetOutput(index, dimensions, checked(rows * bytesOfRow));
        }

        CallTensor whole = call.OutputTensor(index);
        if (!whole.Dimensions[1..].SequenceEqual(part.Dimensions[1..]))
        {
            throw new InferenceException(
                InferenceFailure.Failed,
                $"Output '{engine.Outputs[index].Name}': expected {InputRules.Text(whole.Dimensions[1..])} for each example, got "
                + $"{InputRules.Text(part.Dimensions[1..])}; send examples of such a model in calls of their own.");
        }

        part.Bytes.CopyTo(whole.Buffer.AsSpan(first * bytesOfRow, part.Length));
    }

    private byte[][] Answers(QueuedCall call) =>
        [.. Enumerable.Range(0, engine.Outputs.Count).Select(i => ((ServedCall)call).OutputTensor(i).Bytes.ToArray())];

    private static bool Same(byte[][] left, byte[][] right)
    {
        for (int i = 0; i < left.Length; i++)
        {
            if (!left[i].AsSpan().SequenceEqual(right[i]))
            {
                return false;
            }
        }

        return true;
    }
}

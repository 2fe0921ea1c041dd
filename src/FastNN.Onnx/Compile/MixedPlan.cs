using FastNN.Onnx.Host;

namespace FastNN.Onnx.Compile;

/// <summary>
/// What a stage was planned for: a value's type and extents, and where the plan took them as constants its elements.
/// </summary>
internal readonly record struct MixedKey(int Slot, OnnxElementType Type, int[]? Dims, OnnxTensor? Known)
{
    // Longer ones are the same only where they are the same object, as constants of one plan are.
    private const int MostCompared = 64;

    public static MixedKey Of(int slot, OnnxValue? value, bool isKnown) => value is OnnxTensor tensor
        ? new MixedKey(slot, tensor.ElementType, tensor.Dims, isKnown ? tensor : null)
        : new MixedKey(slot, OnnxElementType.Undefined, null, null);

    public bool Fits(OnnxValue? value)
    {
        if (value is not OnnxTensor tensor)
        {
            return Type == OnnxElementType.Undefined;
        }

        return ReferenceEquals(tensor, Known)
            || (tensor.ElementType == Type && tensor.Dims.AsSpan().SequenceEqual(Dims)
                && (Known is null || (tensor.Count <= MostCompared && SameElements(tensor, Known))));
    }

    private static bool SameElements(OnnxTensor a, OnnxTensor b) => a.ElementType == OnnxElementType.String
        ? a.Array<string>().AsSpan().SequenceEqual(b.Array<string>())
        : a.Bytes().SequenceEqual(b.Bytes());
}

/// <summary>
/// What a stage does for values of certain shapes: a recording, constants that it found, and nodes for the host.
/// </summary>
internal sealed class MixedPlan : IDisposable
{
    private long _lastUse;

    /// <summary>What it is for.</summary>
    public required MixedKey[] Keys { get; init; }

    /// <summary>The recording's session; null where the engine has nothing to do.</summary>
    public required Session? Session { get; init; }

    /// <summary>Bytes of the recording's arena.</summary>
    public required long ArenaBytes { get; init; }

    /// <summary>Where the recording's inputs are.</summary>
    public required int[] InputSlots { get; init; }

    /// <summary>The shapes of the recording's inputs.</summary>
    public required Shape[] Shapes { get; init; }

    /// <summary>Where the recording's outputs go.</summary>
    public required (int Slot, Traced Value)[] Outputs { get; init; }

    /// <summary>What was computed while recording.</summary>
    public required (int Slot, OnnxValue? Value)[] Constants { get; init; }

    /// <summary>What the host runs behind the recording, in order.</summary>
    public required HostNode[] HostNodes { get; init; }

    /// <summary>Values that nothing reads any more.</summary>
    public required int[] Dead { get; init; }

    /// <summary>What comes then; null where all is done.</summary>
    public required MixedStage? Next { get; init; }

    public long LastUse
    {
        get => Volatile.Read(ref _lastUse);
        set => Volatile.Write(ref _lastUse, value);
    }

    public bool IsFor(HostFrame frame)
    {
        foreach (MixedKey key in Keys)
        {
            if (!key.Fits(frame.Slots[key.Slot]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Runs the recording and then the host's nodes.</summary>
    /// <param name="run">The values.</param>
    /// <exception cref="ObjectDisposedException">The plan was dropped meanwhile; nothing has run then.</exception>
    /// <exception cref="OnnxException">It needs more than the limit, or an operator does not take what it is given.</exception>
    public void Run(MixedRun run)
    {
        HostFrame frame = run.Frame;
        if (Session is not null)
        {
            OnnxTensor[] outputs = Array.ConvertAll(Outputs, output => OnnxTensor.Zeros(output.Value.Type, output.Value.Dims));
            run.Enter(ArenaBytes, outputs.Sum(MixedRun.BytesOf));
            Compute(frame, outputs);
        }

        foreach ((int slot, OnnxValue? value) in Constants)
        {
            frame.Slots[slot] = value;
            run.Known[slot] = true;
        }

        foreach (HostNode node in HostNodes)
        {
            HostGraph.Run(node, frame);
        }

        // Before what the stage alone needed goes, and behind it.
        run.Count();

        foreach (int slot in Dead)
        {
            frame.Slots[slot] = null;
        }

        run.Count();
    }

    private void Compute(HostFrame frame, OnnxTensor[] outputs)
    {
        using SessionRun run = Session!.Begin(Shapes);
        for (int i = 0; i < InputSlots.Length; i++)
        {
            var input = (OnnxTensor)frame.Slots[InputSlots[i]]!;
            SessionProgram.Write(run, i, input, 0, input.Count);
        }

        run.Compute();
        for (int i = 0; i < outputs.Length; i++)
        {
            SessionProgram.Read(run, i, Outputs[i].Value, outputs[i], 0, outputs[i].Count);
            frame.Slots[Outputs[i].Slot] = outputs[i];
        }
    }

    public void Dispose() => Session?.Dispose();
}

using System.Globalization;
using FastNN.Onnx.Host;

namespace FastNN.Onnx.Compile;

/// <summary>One call of a model in stages: the bytes that it holds at a time, of arenas and of what stages hand on.</summary>
/// <param name="programs">What runs the graphs.</param>
/// <param name="given">What the call was given, for messages.</param>
internal sealed class MixedCall(MixedPrograms programs, Func<string> given) : IBodyRunner
{
    private long _values;

    /// <summary>The most bytes that it held or was about to hold.</summary>
    public long Peak { get; private set; }

    /// <inheritdoc/>
    public OnnxValue?[]? Run(HostGraph body, OnnxValue?[] arguments, HostFrame outer) =>
        programs.Of(body, isBody: true)?.Run(this, arguments, outer);

    /// <summary>Holds what the call is about to hold, beside the values that it has, against the limit.</summary>
    /// <exception cref="OnnxException">It is more.</exception>
    public void Require(long arena, long values)
    {
        long bytes = _values + arena + values;
        Peak = Math.Max(Peak, bytes);
        if (bytes > programs.Limit)
        {
            throw new OnnxException(string.Create(
                CultureInfo.InvariantCulture,
                $"OnnxSession: expected stages of at most {programs.Limit:N0} bytes (MemoryLimit), got {bytes:N0} bytes ({arena:N0} of an arena, {_values + values:N0} of values between stages) for {given()}; run fewer examples at a time, or raise the limit."));
        }
    }

    /// <summary>Counts values that are there from now on, or not any more where negative.</summary>
    public void Count(long change)
    {
        if (change > 0)
        {
            Require(0, change);
            programs.Budget.Take(change);
        }
        else if (change < 0)
        {
            programs.Budget.Give(-change);
        }

        _values += change;
    }
}

/// <summary>A graph on its way through its stages: the values, and which of them were computed while recording.</summary>
internal sealed class MixedRun : IDisposable
{
    private readonly MixedCall _call;

    // What the graph was given belongs to others.
    private readonly bool[] _isGiven;
    private readonly HashSet<Array> _given = new(ReferenceEqualityComparer.Instance);
    private long _counted;

    public MixedRun(MixedCall call, HostGraph graph, HostFrame frame)
    {
        (_call, Frame, Known) = (call, frame, new bool[graph.SlotCount]);
        foreach ((int slot, OnnxTensor value) in graph.Constants)
        {
            Known[slot] = ReferenceEquals(frame.Slots[slot], value);
        }

        _isGiven = Array.ConvertAll(frame.Slots, value => value is not null);
        _given.UnionWith(frame.Slots.OfType<OnnxTensor>().Select(tensor => tensor.Data));
    }

    public HostFrame Frame { get; }

    /// <summary>Whether a value of the frame is a constant.</summary>
    public bool[] Known { get; }

    /// <summary>Makes sure of room for a recording's arena, and counts its outputs.</summary>
    public void Enter(long arena, long outputs)
    {
        _call.Require(arena, outputs);
        _call.Count(outputs);
        _counted += outputs;
    }

    /// <summary>Counts the values that are there now.</summary>
    public void Count()
    {
        var seen = new HashSet<Array>(ReferenceEqualityComparer.Instance);
        long bytes = 0;
        for (int slot = 0; slot < _isGiven.Length; slot++)
        {
            if (!_isGiven[slot] && !Known[slot] && Frame.Slots[slot] is { } value)
            {
                bytes += BytesOf(value, seen);
            }
        }

        _call.Count(bytes - _counted);
        _counted = bytes;
    }

    /// <summary>What is left goes to others.</summary>
    public void Dispose()
    {
        _call.Count(-_counted);
        _counted = 0;
    }

    private long BytesOf(OnnxValue? value, HashSet<Array> seen) => value switch
    {
        OnnxTensor tensor when !_given.Contains(tensor.Data) && seen.Add(tensor.Data) => BytesOf(tensor),
        OnnxSequence sequence => sequence.Items.Sum(item => BytesOf(item, seen)),
        OnnxOptional optional => BytesOf(optional.Value, seen),
        _ => 0,
    };

    /// <summary>The bytes of a tensor's elements; of texts those of the references to them.</summary>
    public static long BytesOf(OnnxTensor tensor) =>
        tensor.ElementType == OnnxElementType.String ? (long)IntPtr.Size * tensor.Count : tensor.Bytes().Length;
}

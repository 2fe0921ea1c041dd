using FastNN.Onnx.Host;

namespace FastNN.Onnx.Compile;

/// <summary>
/// Makes a stage's plan. In the order of the nodes: what follows from constants is computed, what the engine has is recorded,
/// what it lacks is left to the host, and what reads the host's results waits for the next stage, unless the engine would not
/// have it anyway.
/// </summary>
internal sealed class MixedRecorder
{
    // A value of a shape that keeps changing is small up to here: the host is through with it before a recording is made.
    private const int SmallCount = 1 << 16;

    // Integers that may be extents or places.
    private const int MostExtents = 16;

    private static readonly object Later = new();

    private readonly MixedStage _stage;
    private readonly HostGraph _source;
    private readonly HostFrame _frame;
    private readonly bool[] _known;
    private readonly Graph _graph;
    private readonly Tracer _tracer;

    // What a slot holds: null (nothing yet), a constant, a traced value, or Later.
    private readonly object?[] _slots;
    private readonly bool[] _made;
    private readonly bool[] _byHost;
    private readonly List<int> _inputs = [];
    private readonly List<HostNode> _host = [];
    private readonly List<int> _deferred = [];
    private readonly Dictionary<int, MixedKey> _keys = [];

    private MixedRecorder(MixedStage stage, HostFrame frame, bool[] known)
    {
        (_stage, _source, _frame, _known) = (stage, stage.Graph.Graph, frame, known);
        MixedPrograms programs = stage.Graph.Programs;
        _graph = new Graph(GraphMode.Inference) { Constants = programs.Constants };
        _tracer = new Tracer(_source, programs.External, programs.Constants);
        _slots = new object?[_source.SlotCount];
        _made = new bool[_source.SlotCount];
        _byHost = new bool[_source.SlotCount];
    }

    /// <summary>The stage's plan for the values that are there.</summary>
    public static MixedPlan Record(MixedStage stage, HostFrame frame, bool[] known)
    {
        var recorder = new MixedRecorder(stage, frame, known);
        try
        {
            foreach (int index in stage.Remaining)
            {
                recorder.Place(index, recorder._source.Nodes[index]);
            }

            return recorder.Plan();
        }
        catch (ShapeException)
        {
            // What the engine refuses as a whole the host may know.
            recorder = new MixedRecorder(stage, frame, known);
            recorder._host.AddRange(stage.Remaining.Select(index => recorder._source.Nodes[index]));
            foreach (int slot in recorder._host.SelectMany(Reads).Where(slot => frame.Slots[slot] is not null))
            {
                recorder._keys.TryAdd(slot, MixedKey.Of(slot, frame.Slots[slot], isKnown: false));
            }

            return recorder.Plan();
        }
    }

    private void Place(int index, HostNode node)
    {
        int[] reads = Reads(node);
        if (Array.Exists(reads, slot => _slots[slot] == Later))
        {
            // The host goes on with what the engine has no rule for, and with small work on what keeps changing.
            bool ready = Array.TrueForAll(reads, slot => _slots[slot] != Later || _byHost[slot]);
            if (ready && (HasNoRule(node) || IsSmall(node, reads)))
            {
                LeaveToHost(node);
            }
            else
            {
                _deferred.Add(index);
                Mark(node, byHost: false);
            }

            return;
        }

        if (IsForHostAlone(node) || IsSmall(node, reads) || Trace(node, reads) is not { } outputs)
        {
            LeaveToHost(node);
            return;
        }

        for (int i = 0; i < node.Outputs.Length; i++)
        {
            if (node.Outputs[i] is >= 0 and var slot)
            {
                _slots[slot] = i < outputs.Length ? outputs[i] : null;
                _made[slot] = true;
            }
        }
    }

    /// <summary>What a node reads, the values around its bodies too.</summary>
    private static int[] Reads(HostNode node) =>
        [.. node.Inputs.Concat(node.Bodies.Values.SelectMany(body => body.Captures.Select(capture => capture.From)))
            .Where(slot => slot >= 0).Distinct()];

    private static bool IsForHostAlone(HostNode node) =>
        node.Function is null && (Tracer.IsRandom(node) || node.Definition.Domain.Length > 0);

    // Shapes are constants of the next stage, branches and loops may be.
    private static bool HasNoRule(HostNode node) => IsForHostAlone(node)
        || (node.Function is null && node.Definition.Operator is not ("If" or "Loop" or "Shape" or "Size")
            && TraceRules.Find(node.Definition.Operator) is null);

    /// <summary>Whether a node is small work on values whose shapes keep changing.</summary>
    private bool IsSmall(HostNode node, int[] reads) => _stage.Restless.Count > 0 && !MixedStage.IsHeavy(node)
        && Array.Exists(reads, IsRestless)
        && Array.TrueForAll(reads, slot => _made[slot] || _frame.Slots[slot] is not OnnxTensor { Count: > SmallCount });

    private bool IsRestless(int slot) => _stage.Restless.Contains(slot) || _byHost[slot];

    private void LeaveToHost(HostNode node)
    {
        _host.Add(node);
        Mark(node, byHost: true);
    }

    private void Mark(HostNode node, bool byHost)
    {
        foreach (int slot in node.Outputs)
        {
            if (slot >= 0)
            {
                _slots[slot] = Later;
                _byHost[slot] = byHost;
                _made[slot] = true;
            }
        }
    }

    private object?[]? Trace(HostNode node, int[] reads)
    {
        bool opaque = false;
        foreach (int slot in reads)
        {
            opaque |= !Bring(slot);
        }

        return opaque ? null : TryTrace(node) ?? (Steering(reads) is { Count: > 0 } extents ? TryTrace(node, extents) : null);
    }

    /// <summary>Records a node; null where the engine lacks it, or refuses what the host may know.</summary>
    private object?[]? TryTrace(HostNode node, Dictionary<int, OnnxTensor>? extents = null)
    {
        object?[] inputs = Array.ConvertAll(
            node.Inputs, slot => slot < 0 ? null : extents?.GetValueOrDefault(slot) ?? _slots[slot]);
        try
        {
            object?[]? outputs = _tracer.Trace(_graph, node, inputs, _slots);
            foreach ((int slot, OnnxTensor value) in outputs is null ? [] : extents ?? [])
            {
                _keys[slot] = MixedKey.Of(slot, value, isKnown: true);
            }

            return outputs;
        }
        catch (Exception exception) when (exception is ShapeException or OnnxException)
        {
            return null;
        }
    }

    /// <summary>Integers among the host's values that a node may want as constants, such as the extents of a Reshape.</summary>
    private Dictionary<int, OnnxTensor> Steering(int[] reads)
    {
        var extents = new Dictionary<int, OnnxTensor>();
        foreach (int slot in reads)
        {
            if (_slots[slot] is Traced && !_made[slot] && !_stage.Restless.Contains(slot)
                && _frame.Slots[slot] is OnnxTensor
                {
                    Rank: <= 1, Count: <= MostExtents, ElementType: OnnxElementType.Int64 or OnnxElementType.Int32
                        or OnnxElementType.Bool,
                } value)
            {
                extents.Add(slot, value);
            }
        }

        return extents;
    }

    /// <summary>
    /// Makes a value that was there before the stage a constant or an input of the recording; false where the engine does not
    /// take it.
    /// </summary>
    private bool Bring(int slot)
    {
        if (_made[slot])
        {
            return true;
        }

        OnnxValue? value = _frame.Slots[slot];
        bool known = _known[slot];
        if (!_stage.Graph.Fixed.Contains(slot))
        {
            _keys.TryAdd(slot, MixedKey.Of(slot, value, known));
        }

        if (value is null || known)
        {
            _slots[slot] = value;
            return true;
        }

        if (_slots[slot] is Traced)
        {
            return true;
        }

        if (value is not OnnxTensor { Count: > 0, Rank: <= Shape.MaxRank } tensor
            || Tracer.Held(tensor.ElementType) is not { } inside)
        {
            return false;
        }

        _slots[slot] = Traced.OfPlain(
            _graph.Input(new Shape(tensor.Dims), inside, $"slot{slot}"), tensor.ElementType, tensor.Dims);
        _inputs.Add(slot);
        return true;
    }

    private MixedPlan Plan()
    {
        // What a later stage, the host or the caller reads of this one.
        var after = new HashSet<int>(_deferred.SelectMany(index => Reads(_source.Nodes[index])));
        after.UnionWith(_source.Outputs);
        var wanted = new HashSet<int>(after);
        wanted.UnionWith(_host.SelectMany(Reads));
        var outputs = new List<(int, Traced)>();
        var constants = new List<(int, OnnxValue?)>();
        for (int slot = 0; slot < _slots.Length; slot++)
        {
            if (!_made[slot] || !wanted.Contains(slot))
            {
                continue;
            }

            if (_slots[slot] is Traced traced)
            {
                outputs.Add((slot, traced));
            }
            else if (_slots[slot] != Later)
            {
                constants.Add((slot, (OnnxValue?)_slots[slot]));
            }
        }

        var values = outputs.ConvertAll(output => ($"slot{output.Item1}", output.Item2.Plain));
        Shape[] shapes = [.. _inputs.Select(slot => new Shape(((OnnxTensor)_frame.Slots[slot]!).Dims))];
        (Session? session, long bytes) = outputs.Count > 0 ? Compiled([.. values], shapes) : (null, 0);
        int[] dead = [.. Enumerable.Range(0, _slots.Length).Where(slot => !after.Contains(slot)
            && (_frame.Slots[slot] is not null || wanted.Contains(slot)) && !_stage.Graph.Fixed.Contains(slot))];
        return new MixedPlan
        {
            Keys = [.. _keys.Values],
            Session = session,
            ArenaBytes = bytes,
            InputSlots = [.. _inputs],
            Shapes = shapes,
            Outputs = [.. outputs],
            Constants = [.. constants],
            HostNodes = [.. _host],
            Dead = dead,
            Next = _stage.Graph.Stage([.. _deferred]),
        };
    }

    private (Session Session, long Bytes) Compiled((string Name, Value Value)[] values, Shape[] shapes)
    {
        MixedPrograms programs = _stage.Graph.Programs;
        Session session = _graph.Compile(programs.Device, values, new SessionOptions { Budget = programs.Budget });
        try
        {
            return (session, session.PeakBytes(shapes));
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }
}

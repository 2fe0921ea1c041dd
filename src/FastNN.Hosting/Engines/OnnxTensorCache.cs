using FastNN.Onnx;

namespace FastNN.Hosting;

/// <summary>
/// Tensors for the sets of input shapes that an ONNX session met last, so that a call with one of them allocates nothing. What it
/// keeps is bounded: so many sets of shapes, and of each as many tensors as calls were computed at once. Thread-safe.
/// </summary>
/// <param name="session">What runs.</param>
/// <param name="inputs">How many inputs the file has.</param>
/// <param name="capacity">How many sets of shapes are kept; the least recently used goes.</param>
internal sealed class OnnxTensorCache(OnnxSession session, int inputs, int capacity)
{
    private readonly Lock _lock = new();
    private Shapes[] _known = [];
    private long _clock;

    /// <summary>The tensors for a batch.</summary>
    public Shapes Find(OnnxEngine engine, ReadOnlySpan<QueuedCall> batch, int rows)
    {
        if (FindKnown(batch, rows) is { } found)
        {
            return found;
        }

        lock (_lock)
        {
            if (FindKnown(batch, rows) is { } made)
            {
                return made;
            }

            var shapes = new Shapes(session, engine, inputs, batch, rows) { LastUse = Interlocked.Increment(ref _clock) };
            Shapes[] known = _known;
            if (known.Length >= capacity)
            {
                Shapes oldest = known.MinBy(candidate => candidate.LastUse)!;
                known = [.. known.Where(kept => kept != oldest)];
            }

            Volatile.Write(ref _known, [.. known, shapes]);
            return shapes;
        }
    }

    /// <summary>What runs a batch on the engine; null where its shapes are new, or the host has a part.</summary>
    public Session? FindSession(ReadOnlySpan<QueuedCall> batch, int rows) => FindKnown(batch, rows)?.FindSession();

    private Shapes? FindKnown(ReadOnlySpan<QueuedCall> batch, int rows)
    {
        foreach (Shapes shapes in Volatile.Read(ref _known))
        {
            if (shapes.IsFor(batch, rows))
            {
                shapes.LastUse = Interlocked.Increment(ref _clock);
                return shapes;
            }
        }

        return null;
    }

    /// <summary>Input and output tensors of one execution.</summary>
    /// <param name="inputs">In the order of the file; null where the file has a default.</param>
    internal sealed class Tensors(OnnxTensor?[] inputs)
    {
        public OnnxTensor?[] Inputs => inputs;

        /// <summary>Made once it is known what they are; empty before, and where they are new each time.</summary>
        public OnnxTensor[] Outputs { get; set; } = [];
    }

    /// <summary>One set of input shapes.</summary>
    internal sealed class Shapes
    {
        private readonly OnnxSession _session;
        private readonly Func<OnnxTensor?[]> _create;
        private readonly int[][] _dimensions;
        private readonly Stack<Tensors> _idle = new();
        private long _lastUse;
        private bool _runsOnHost;

        public Shapes(OnnxSession session, OnnxEngine engine, int inputs, ReadOnlySpan<QueuedCall> batch, int rows)
        {
            _session = session;
            _dimensions = new int[engine.Inputs.Count][];
            var types = new OnnxElementType[inputs];
            var places = new int[engine.Inputs.Count];
            for (int i = 0; i < places.Length; i++)
            {
                OnnxTensor tensor = engine.NewInput(batch, i, rows);
                (places[i], _dimensions[i]) = (engine.Place(i), tensor.Dims);
                types[places[i]] = tensor.ElementType;
            }

            _create = () =>
            {
                var tensors = new OnnxTensor?[inputs];
                for (int i = 0; i < places.Length; i++)
                {
                    tensors[places[i]] = OnnxTensor.Zeros(types[places[i]], _dimensions[i]);
                }

                return tensors;
            };
        }

        public long LastUse
        {
            get => Volatile.Read(ref _lastUse);
            set => Volatile.Write(ref _lastUse, value);
        }

        /// <summary>Whether it is for these calls.</summary>
        public bool IsFor(ReadOnlySpan<QueuedCall> batch, int rows) => BatchRows.Match(_dimensions, batch, rows);

        public Tensors Take()
        {
            lock (_idle)
            {
                if (_idle.TryPop(out Tensors? tensors))
                {
                    return tensors;
                }
            }

            return new Tensors(_create());
        }

        /// <summary>
        /// Whether outputs have the same types and shapes whatever the values are, since the engine runs all; makes them at
        /// first.
        /// </summary>
        public bool OutputsAreKnown(Tensors tensors)
        {
            if (tensors.Outputs.Length > 0)
            {
                return true;
            }

            // Single integers may steer a model, so that there is a recording for each of their values: asked each time then.
            if (_runsOnHost || Array.Exists(tensors.Inputs, IsSteering))
            {
                return false;
            }

            if (_session.HostReason(tensors.Inputs) is not null)
            {
                _runsOnHost = true;
                return false;
            }

            tensors.Outputs = _session.CreateOutputs(tensors.Inputs);
            return true;
        }

        public Session? FindSession()
        {
            Tensors tensors = Take();
            try
            {
                return _session.FindSession(tensors.Inputs);
            }
            finally
            {
                Give(tensors);
            }
        }

        public void Give(Tensors tensors)
        {
            lock (_idle)
            {
                _idle.Push(tensors);
            }
        }

        private static bool IsSteering(OnnxTensor? tensor) =>
            tensor is { Count: 1, ElementType: OnnxElementType.Int32 or OnnxElementType.Int64 or OnnxElementType.Bool };
    }
}

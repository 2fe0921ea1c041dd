using System.Runtime.InteropServices;
using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Inference;

/// <summary>What one call at a time computes in: an arena, and the plans that are bound to it.</summary>
internal sealed class SessionContext(
    IDevice device, ParameterStore store, Value[] inputs, Value[] outputs, ArenaBudget? budget) : IDisposable
{
    private readonly Arena _arena = new(device, budget);
    private readonly List<BoundPlan> _bound = [];
    private readonly bool[] _written = new bool[inputs.Length];
    private readonly GCHandle[] _lent = new GCHandle[inputs.Length];
    private BoundPlan? _current;
    private bool _computed;

    /// <summary>Which rental it is in; a run that is over has an older number.</summary>
    public int Rental { get; set; }

    public long Bytes => _arena.Bytes;

    private BoundPlan Current => _current!;

    /// <summary>Makes a plan the one to run next.</summary>
    public void Bind(CachedPlan plan)
    {
        (_current, _computed) = (null, false);
        Array.Clear(_written);
        foreach (BoundPlan bound in _bound)
        {
            if (bound.Plan == plan)
            {
                _current = bound;
                return;
            }
        }

        Forget(plan.Plan.PeakBytes > _arena.Bytes);
        _current = new BoundPlan(device, plan, store, _arena, inputs, outputs);
        _bound.Add(_current);
    }

    public Tensor Input(int index) => Current.Inputs[index];

    public Tensor Output(int index) => Current.Outputs[index];

    public void Write(int index, ReadOnlySpan<byte> values)
    {
        RequireInRange(index, values);
        TakeBack(index);
        using DeviceUse use = device.Life.Enter();
        device.Upload(values, Input(index));
        (_written[index], _computed) = (true, false);
    }

    /// <summary>Has the next <see cref="Compute"/> read an input where it lies: whether that is possible here.</summary>
    /// <param name="index">Which input.</param>
    /// <param name="owner">The array that holds it, which stays in place until then.</param>
    /// <param name="offset">The bytes before it.</param>
    /// <param name="values">The input.</param>
    public bool Lend(int index, Array owner, nint offset, ReadOnlySpan<byte> values)
    {
        if (!Current.MayBorrow[index])
        {
            return false;
        }

        RequireInRange(index, values);
        TakeBack(index);
        _lent[index] = GCHandle.Alloc(owner, GCHandleType.Pinned);
        Current.Borrow(inputs[index], _lent[index].AddrOfPinnedObject() + offset);
        (_written[index], _computed) = (true, false);
        return true;
    }

    /// <summary>Lets go of what was lent.</summary>
    public void TakeBack()
    {
        for (int i = 0; i < _lent.Length; i++)
        {
            TakeBack(i);
        }
    }

    /// <summary>The first input that nothing was written to since the last run, or -1.</summary>
    public int FirstUnwritten() => Array.IndexOf(_written, false);

    /// <param name="observer">Is told when each step ran; null for nobody.</param>
    public void Compute(IStepObserver? observer)
    {
        using DeviceUse use = device.Life.Enter();
        _computed = false;
        try
        {
            if (observer is null)
            {
                Current.Replay.Run();
            }
            else
            {
                Current.Run(observer);
            }

            Current.Readback.Begin();
        }
        finally
        {
            TakeBack();
        }

        // A plan may overwrite its inputs' memory once it has read them.
        Array.Clear(_written);
        _computed = true;
    }

    public bool IsComputed => _computed;

    public void Read(int index, Span<byte> values) => Peek(index).CopyTo(values);

    /// <summary>An output's bytes where they arrived; valid until the context computes again.</summary>
    public ReadOnlySpan<byte> Peek(int index)
    {
        using DeviceUse use = device.Life.Enter();
        return Current.Readback.Read(index);
    }

    public void Dispose()
    {
        Forget(all: true);
        _arena.Dispose();
    }

    private void RequireInRange(int index, ReadOnlySpan<byte> values)
    {
        foreach (IndexRange range in Current.Ranges[index])
        {
            range.Require(values, inputs[index].Type, inputs[index].Name!);
        }
    }

    private void TakeBack(int index)
    {
        if (_lent[index].IsAllocated)
        {
            _lent[index].Free();
            Current.Borrow(inputs[index], 0);
        }
    }

    /// <summary>Forgets plans that the cache has dropped, or all, as when the arena is about to move.</summary>
    private void Forget(bool all)
    {
        for (int i = _bound.Count - 1; i >= 0; i--)
        {
            if (all || _bound[i].Plan.IsDropped)
            {
                _bound[i].Dispose();
                _bound.RemoveAt(i);
            }
        }
    }

    /// <summary>A plan bound to the arena.</summary>
    private sealed class BoundPlan : IDisposable
    {
        private readonly Executor _executor;

        public BoundPlan(IDevice device, CachedPlan plan, ParameterStore store, Arena arena, Value[] inputs, Value[] outputs)
        {
            Plan = plan;
            _executor = new Executor(device, plan.Plan, store, stepCounter: null, arena, plan.Constants);
            try
            {
                Inputs = Array.ConvertAll(inputs, input => _executor[input]);
                MayBorrow = Array.ConvertAll(inputs, _executor.MayBorrow);
                Ranges = Array.ConvertAll(inputs, input => plan.Plan.IndexRanges[input].ToArray());
                Outputs = Array.ConvertAll(outputs, output => _executor[output]);
                Replay = new Replay(device, _executor.Forward, plan.Plan.IsCapturable);
                Readback = device.CreateReadback(Outputs);
            }
            catch
            {
                _executor.Dispose();
                throw;
            }
        }

        public CachedPlan Plan { get; }

        public Tensor[] Inputs { get; }

        /// <summary>Whether each input may be read where the caller has it.</summary>
        public bool[] MayBorrow { get; }

        /// <summary>What each input may hold that operators index with.</summary>
        public IndexRange[][] Ranges { get; }

        public Tensor[] Outputs { get; }

        public Replay Replay { get; }

        public IReadback Readback { get; }

        public void Borrow(Value input, nint address) => _executor.Borrow(input, address);

        public void Run(IStepObserver observer) => _executor.Forward(observer);

        public void Dispose()
        {
            Readback.Dispose();
            Replay.Dispose();
            _executor.Dispose();
        }
    }
}

using FastNN.Kernels;

namespace FastNN.Cpu;

/// <content>
/// One sequence alone, forward: a step is a vector times the weight, which streams from the cache. Threads share the units, with
/// their columns of every gate, and meet once per step; whose columns they are changes no bit.
/// </content>
internal sealed unsafe partial class CpuRecurrence
{
    /// <summary>Units of a task at least: whole panels of every rung, and enough work to meet for.</summary>
    private const int SequenceUnits = 64;

    private void Sequence(RecurrenceGeometry geometry, in RecurrenceTensors tensors, float* panels, float* later, float* slab)
    {
        var body = new SequenceBody(geometry, tensors, panels, later, slab, UnitsPerTask(geometry));
        using WorkerPool.Seat seat = Pool.Enter();
        for (int s = 0; s < geometry.Steps; s++)
        {
            body.Step = s;
            Pool.Run(body.Tasks, ref body);
        }

        body.EndState();
    }

    private int UnitsPerTask(RecurrenceGeometry geometry)
    {
        // A step below some 130,000 multiply-adds, 4 us, is over before two threads have met.
        if (Threads == 1 || geometry.Hidden % SequenceUnits != 0 || (long)geometry.Hidden * geometry.Width < 128 * 1024)
        {
            return geometry.Hidden;
        }

        int blocks = geometry.Hidden / SequenceUnits;
        return (blocks + Threads - 1) / Threads * SequenceUnits;
    }

    private struct SequenceBody : IParallelBody, ILanesAction
    {
        public int Step;

        private readonly RecurrenceGeometry _geometry;
        private readonly float* _gates, _kept, _slab, _y, _h, _c, _bias, _panels, _later;
        private readonly int _length, _unitsPerTask;
        private readonly bool _fromZero;
        private int _first, _units;

        public SequenceBody(
            RecurrenceGeometry geometry, in RecurrenceTensors tensors, float* panels, float* later, float* slab, int unitsPerTask)
        {
            (_geometry, _unitsPerTask) = (geometry, unitsPerTask);
            _panels = panels;
            _later = later;
            _slab = slab;
            _gates = (float*)tensors.Gates;
            _kept = (float*)tensors.Kept(geometry);
            _y = Floats(tensors.Y);
            _h = Floats(tensors.State);
            _c = Floats(tensors.Cell);
            _bias = Floats(tensors.HiddenBias);
            _length = tensors.Lengths is null ? geometry.Steps : *(int*)tensors.Lengths.Address;
            _fromZero = tensors.FirstState is null;
        }

        public readonly int Tasks => (_geometry.Hidden + _unitsPerTask - 1) / _unitsPerTask;

        /// <summary>Where no step reads the first state any more: the last one.</summary>
        public readonly void EndState()
        {
            if (_length > 0)
            {
                long bytes = _geometry.Hidden * sizeof(float);
                int last = _geometry.IsReverse ? 0 : _length - 1;
                Buffer.MemoryCopy(_y + ((nint)last * _geometry.Hidden), _h, bytes, bytes);
            }
        }

        public readonly void Invoke(int task, int worker)
        {
            SequenceBody part = this;
            part._first = task * _unitsPerTask;
            part._units = Math.Min(_unitsPerTask, _geometry.Hidden - part._first);
            Simd.Dispatch(ref part);
        }

        public readonly void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes>
        {
            int hidden = _geometry.Hidden, time = _geometry.Time(Step), gates = _geometry.Joined / hidden;
            float* at = _gates + ((nint)time * _geometry.Width), y = _y + ((nint)time * hidden) + _first;
            float* products = _kept == null ? _slab : _kept + ((nint)time * hidden);
            if (time >= _length)
            {
                new Span<float>(y, _units).Clear();
                return;
            }

            // What this step reads of h no task may have written yet, so states go from y's row to y's row.
            bool isFirst = IsFirst(time);
            float* h = isFirst ? _h : _y + ((nint)(_geometry.IsReverse ? time + 1 : time - 1) * hidden);
            int depth = isFirst && _fromZero ? 0 : hidden;
            for (int gate = 0; gate < gates; gate++)
            {
                Multiply<TLanes>(h, depth, _panels, (gate * hidden) + _first, at, new Epilogue(_bias, accumulate: true));
            }

            if (_geometry.Joined < _geometry.Width)
            {
                float* bias = _bias == null ? null : _bias + _geometry.Joined;
                Multiply<TLanes>(h, depth, _later, _first, products, new Epilogue(bias));
            }

            Finish<TLanes>(at + _first, products + _first, h + _first, y);
        }

        /// <summary>Whether the step is the sequence's first, which one of less than all steps begins late in reverse.</summary>
        private readonly bool IsFirst(int time) => _geometry.IsReverse ? time == _length - 1 : time == 0;

        /// <summary>Columns from one on for this task's units.</summary>
        private readonly void Multiply<TLanes>(
            float* h, int depth, float* panels, int column, float* target, in Epilogue epilogue)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            int width = 2 * TLanes.Count, hidden = _geometry.Hidden;
            for (int end = column + _units; column < end;)
            {
                // A panel may hold the end of one gate and the beginning of the next.
                int inside = column % width, count = Math.Min(width - inside, end - column);
                float* panel = panels + ((nint)(column / width) * hidden * width) + inside;
                Gemv<TLanes>.Columns(h, depth, panel, width, target + column, count, epilogue.At(column));
                column += count;
            }
        }

        private readonly void Finish<TLanes>(float* gates, float* products, float* h, float* y)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            nint n = _geometry.Hidden;
            float* c = _c + _first;
            switch (_geometry.Cell)
            {
                case RecurrentCell.Lstm:
                    SigmoidLoop.InPlace(default, gates, _units);
                    SigmoidLoop.InPlace(default, gates + n, _units);
                    TanhLoop.InPlace(default, gates + (2 * n), _units);
                    SigmoidLoop.InPlace(default, gates + (3 * n), _units);
                    ElementLoop.Range<TLanes, LstmBody>(new(gates, n, y, c, _kept == null ? c : products, y), 0, _units);
                    break;
                case RecurrentCell.Gru:
                    SigmoidLoop.InPlace(default, gates, _units);
                    SigmoidLoop.InPlace(default, gates + n, _units);
                    Copy(h, y);
                    ElementLoop.Range<TLanes, GruBody>(new(gates, n, products, y, y), 0, _units);
                    break;
                default:
                    (_geometry.Cell == RecurrentCell.Tanh ? TanhLoop : ReluLoop).InPlace(default, gates, _units);
                    Copy(gates, y);
                    break;
            }
        }

        private readonly void Copy(float* from, float* to) =>
            Buffer.MemoryCopy(from, to, _units * sizeof(float), _units * sizeof(float));
    }
}

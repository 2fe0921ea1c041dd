using FastNN.Functions;
using FastNN.Kernels;

namespace FastNN.Cpu;

/// <content>Some sequences of a batch, forward through all steps.</content>
internal sealed unsafe partial class CpuRecurrence
{
    private static readonly FunctionLoops
        TanhLoop = FunctionLoops.Of(UnaryFunction.Of<Functions.Tanh>().Id),
        ReluLoop = FunctionLoops.Of(UnaryFunction.Of<Functions.Relu>().Id);

    private readonly struct ForwardBody : IParallelBody, ILanesAction
    {
        private readonly RecurrenceGeometry _geometry;
        private readonly float* _gates, _kept, _slab, _y, _h, _c, _bias, _panels, _later;
        private readonly int* _lengths;
        private readonly int _rowsPerTask, _row, _end;
        private readonly bool _fromZero;

        /// <param name="panels">The packed weight of the gates that h's product is added to.</param>
        /// <param name="later">That of a GRU's new gate.</param>
        /// <param name="slab">The new gate's products of one step, where none are kept.</param>
        public ForwardBody(
            RecurrenceGeometry geometry, in RecurrenceTensors tensors, float* panels, float* later, float* slab, int rowsPerTask)
        {
            (_geometry, _rowsPerTask) = (geometry, rowsPerTask);
            _panels = panels;
            _later = later;
            _slab = slab;
            _gates = (float*)tensors.Gates;
            _kept = (float*)tensors.Kept(geometry);
            _y = Floats(tensors.Y);
            _h = Floats(tensors.State);
            _c = Floats(tensors.Cell);
            _bias = Floats(tensors.HiddenBias);
            _lengths = tensors.Lengths is null ? null : (int*)tensors.Lengths.Address;
            _fromZero = tensors.FirstState is null;
        }

        private ForwardBody(in ForwardBody body, int row, int end)
        {
            this = body;
            (_row, _end) = (row, end);
        }

        public int Tasks => (_geometry.Batch + _rowsPerTask - 1) / _rowsPerTask;

        public void Invoke(int task, int worker)
        {
            int row = task * _rowsPerTask;
            var rows = new ForwardBody(this, row, Math.Min(_geometry.Batch, row + _rowsPerTask));
            Simd.Dispatch(ref rows);
        }

        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes>
        {
            (int width, nint hidden, int joined) = (_geometry.Width, _geometry.Hidden, _geometry.Joined);
            var join = new Epilogue(_bias, accumulate: true);
            var apart = new Epilogue(_bias == null ? null : _bias + joined);
            float* h = _h + (_row * hidden);
            for (int s = 0; s < _geometry.Steps; s++)
            {
                int time = _geometry.Time(s), depth = s == 0 && _fromZero ? 0 : _geometry.Hidden;
                nint first = ((nint)time * _geometry.Batch) + _row;
                float* gates = _gates + (first * width);
                RecurrentProduct.Multiply<TLanes>(
                    _end - _row, joined, depth, h, (nint)hidden, _panels, _geometry.Hidden, gates, width, join);
                float* products = _kept == null ? _slab + (_row * hidden) : _kept + (first * hidden);
                if (joined < width)
                {
                    RecurrentProduct.Multiply<TLanes>(
                        _end - _row, (int)hidden, depth, h, (nint)hidden, _later, _geometry.Hidden, products, (nint)hidden,
                        apart);
                }

                for (int row = _row; row < _end; row++, first++, gates += width, products += hidden)
                {
                    float* y = _y + (first * hidden);
                    if (_lengths == null || time < _lengths[row])
                    {
                        Step<TLanes>(gates, products, _h + (row * hidden), _c + (row * hidden), y);
                    }
                    else
                    {
                        new Span<float>(y, (int)hidden).Clear();
                    }
                }
            }
        }

        private void Step<TLanes>(float* gates, float* products, float* h, float* c, float* y)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            int hidden = _geometry.Hidden;
            nint n = hidden;
            switch (_geometry.Cell)
            {
                case RecurrentCell.Lstm:
                    ElementLoop.Range<TLanes, LstmBody>(new(gates, n, h, c, _kept == null ? null : products, y), 0, n);
                    break;
                case RecurrentCell.Gru:
                    ElementLoop.Range<TLanes, GruBody>(new(gates, n, products, h, y, _kept != null), 0, n);
                    break;
                default:
                    (_geometry.Cell == RecurrentCell.Tanh ? TanhLoop : ReluLoop).InPlace(default, gates, hidden);
                    long bytes = n * sizeof(float);
                    Buffer.MemoryCopy(gates, h, bytes, bytes);
                    Buffer.MemoryCopy(gates, y, bytes, bytes);
                    break;
            }
        }
    }

    /// <summary>
    /// The gates from their sums, c = f c + i g and h = o tanh(c) in one pass, so that the chains of the five functions overlap.
    /// Gates and c are stored where backward follows, which is where <paramref name="kept"/> is not null.
    /// </summary>
    private readonly struct LstmBody(float* gates, nint n, float* h, float* c, float* kept, float* y) : IElementBody
    {
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            float* first = gates + i, second = first + n, third = second + n, fourth = third + n;
            TLanes input = Elementary.Sigmoid(TLanes.Load(first, count)), forget = Elementary.Sigmoid(TLanes.Load(second, count));
            TLanes next = Elementary.Tanh(TLanes.Load(third, count)), output = Elementary.Sigmoid(TLanes.Load(fourth, count));
            TLanes cell = TLanes.MultiplyAdd(forget, TLanes.Load(c + i, count), input * next);
            TLanes state = output * Elementary.Tanh(cell);
            cell.Store(c + i, count);
            state.Store(h + i, count);
            state.Store(y + i, count);
            if (kept != null)
            {
                input.Store(first, count);
                forget.Store(second, count);
                next.Store(third, count);
                output.Store(fourth, count);
                cell.Store(kept + i, count);
            }
        }
    }

    /// <summary>The gates from their sums; n = tanh(n + r (h U + b)); h = n + z (h - n). Stored where backward follows.</summary>
    private readonly struct GruBody(float* gates, nint n, float* products, float* h, float* y, bool keeps) : IElementBody
    {
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            float* first = gates + i, second = first + n, third = second + n;
            TLanes reset = Elementary.Sigmoid(TLanes.Load(first, count)), update = Elementary.Sigmoid(TLanes.Load(second, count));
            TLanes next = Elementary.Tanh(TLanes.MultiplyAdd(reset, TLanes.Load(products + i, count), TLanes.Load(third, count)));
            TLanes state = TLanes.MultiplyAdd(update, TLanes.Load(h + i, count) - next, next);
            state.Store(h + i, count);
            state.Store(y + i, count);
            if (keeps)
            {
                reset.Store(first, count);
                update.Store(second, count);
                next.Store(third, count);
            }
        }
    }
}

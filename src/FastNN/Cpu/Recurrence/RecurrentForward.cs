using FastNN.Functions;
using FastNN.Kernels;

namespace FastNN.Cpu;

/// <content>Some sequences of a batch, forward through all steps.</content>
internal sealed unsafe partial class CpuRecurrence
{
    private static readonly FunctionLoops
        SigmoidLoop = FunctionLoops.Of(UnaryFunction.Of<Functions.Sigmoid>().Id),
        TanhLoop = FunctionLoops.Of(UnaryFunction.Of<Functions.Tanh>().Id),
        ReluLoop = FunctionLoops.Of(UnaryFunction.Of<Functions.Relu>().Id);

    private readonly struct ForwardBody : IParallelBody, ILanesAction
    {
        private readonly RecurrenceGeometry _geometry;
        private readonly float* _gates, _kept, _slab, _y, _h, _c, _bias, _panels, _later;
        private readonly int* _lengths;
        private readonly int _rowsPerTask, _row, _end;
        private readonly bool _fromZero;
        private readonly WorkerPool _pool;
        private readonly Product _inputs;
        private readonly int _chunk;
        private readonly float* _scratch;

        /// <param name="pool">For its scratch memory.</param>
        /// <param name="panels">The packed weight of the gates that h's product is added to.</param>
        /// <param name="later">That of a GRU's new gate.</param>
        /// <param name="slab">The new gate's products of one step, where none are kept.</param>
        public ForwardBody(
            WorkerPool pool, RecurrenceGeometry geometry, in RecurrenceTensors tensors, float* panels, float* later, float* slab,
            int rowsPerTask, int chunk)
        {
            (_pool, _chunk) = (pool, chunk);
            _inputs = new Product
            {
                M = geometry.Rows,
                N = geometry.Width,
                K = geometry.Inputs,
                A = Floats(tensors.X),
                Lda = geometry.Inputs,
                B = Floats(tensors.InputWeight),
                Ldb = geometry.Width,
                Ldc = geometry.Width,
                Epilogue = new Epilogue(Floats(tensors.InputBias)),
            };
            if (chunk > 0)
            {
                Gemm.Freeze(pool, tensors.InputWeight.Frozen, ref _inputs);
            }

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

        private ForwardBody(in ForwardBody body, int row, int end, byte* scratch)
        {
            this = body;
            (_row, _end) = (row, end);
            _scratch = (float*)scratch;
        }

        public int Tasks => (_geometry.Batch + _rowsPerTask - 1) / _rowsPerTask;

        public void Invoke(int task, int worker)
        {
            int row = task * _rowsPerTask;
            byte* scratch = _chunk > 0 ? _pool.Scratch(worker) : null;
            var rows = new ForwardBody(this, row, Math.Min(_geometry.Batch, row + _rowsPerTask), scratch);
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
                if (_chunk > 0 && s % _chunk == 0)
                {
                    Inputs<TLanes>(_inputs, s, Math.Min(_chunk, _geometry.Steps - s));
                }

                int time = _geometry.Time(s), depth = s == 0 && _fromZero ? 0 : _geometry.Hidden;
                nint first = ((nint)time * _geometry.Batch) + _row;
                float* gates = _chunk > 0 ? _scratch + (s % _chunk * (_end - _row) * (nint)width) : _gates + (first * width);
                bool multiplied = _geometry.Steps == 1; // by SingleStep
                if (!multiplied)
                {
                    RecurrentProduct.Multiply<TLanes>(
                        _end - _row, joined, depth, h, (nint)hidden, _panels, _geometry.Hidden, gates, width, join);
                }

                float* products = _kept == null ? _slab + (_row * hidden) : _kept + (first * hidden);
                if (joined < width && !multiplied)
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

        /// <summary>What the inputs give to the gates of some steps from the s-th on, in the scratch memory.</summary>
        private void Inputs<TLanes>(Product product, int s, int steps)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            int rows = _end - _row;
            nint row = _geometry.Inputs;
            float* x = _scratch + ((nint)_chunk * rows * _geometry.Width);
            for (int i = 0; i < steps; i++)
            {
                long bytes = rows * row * sizeof(float);
                float* from = product.A + ((((nint)_geometry.Time(s + i) * _geometry.Batch) + _row) * row);
                Buffer.MemoryCopy(from, x + (i * rows * row), bytes, bytes);
            }

            product.M = steps * rows;
            product.A = x;
            product.C = _scratch;
            Gemm<TLanes>.RunPanels(product);
        }

        private void Step<TLanes>(float* gates, float* products, float* h, float* c, float* y)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            int hidden = _geometry.Hidden;
            nint n = hidden;
            switch (_geometry.Cell)
            {
                case RecurrentCell.Lstm when _chunk > 0:
                    ElementLoop.Range<TLanes, LstmCellBody>(new(gates, n, c), 0, n);
                    ElementLoop.Range<TLanes, LstmStateBody>(new(gates + (3 * n), c, h, y), 0, n);
                    break;
                case RecurrentCell.Lstm:
                    SigmoidLoop.InPlace(default, gates, 2 * hidden);
                    TanhLoop.InPlace(default, gates + (2 * n), hidden);
                    SigmoidLoop.InPlace(default, gates + (3 * n), hidden);
                    ElementLoop.Range<TLanes, LstmBody>(new(gates, n, h, c, _kept == null ? c : products, y), 0, n);
                    break;
                case RecurrentCell.Gru:
                    SigmoidLoop.InPlace(default, gates, 2 * hidden);
                    ElementLoop.Range<TLanes, GruBody>(new(gates, n, products, h, y), 0, n);
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

    /// <summary>c = sigmoid(f) c + sigmoid(i) tanh(g), with the bits of a loop for each.</summary>
    private readonly struct LstmCellBody(float* gates, nint n, float* c) : IElementBody
    {
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes next = Elementary.Tanh(TLanes.Load(gates + (2 * n) + i, count));
            TLanes input = Elementary.Sigmoid(TLanes.Load(gates + i, count)) * next;
            TLanes forget = Elementary.Sigmoid(TLanes.Load(gates + n + i, count));
            TLanes.MultiplyAdd(forget, TLanes.Load(c + i, count), input).Store(c + i, count);
        }
    }

    /// <summary>h = sigmoid(o) tanh(c).</summary>
    private readonly struct LstmStateBody(float* output, float* c, float* h, float* y) : IElementBody
    {
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes state = Elementary.Sigmoid(TLanes.Load(output + i, count)) * Elementary.Tanh(TLanes.Load(c + i, count));
            state.Store(h + i, count);
            state.Store(y + i, count);
        }
    }

    /// <summary>c = f c + i g; h = o tanh(c).</summary>
    private readonly struct LstmBody(float* gates, nint n, float* h, float* c, float* kept, float* y) : IElementBody
    {
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes input = TLanes.Load(gates + i, count), forget = TLanes.Load(gates + n + i, count);
            TLanes next = TLanes.Load(gates + (2 * n) + i, count), output = TLanes.Load(gates + (3 * n) + i, count);
            TLanes cell = TLanes.MultiplyAdd(forget, TLanes.Load(c + i, count), input * next);
            TLanes state = output * Elementary.Tanh(cell);
            cell.Store(c + i, count);
            cell.Store(kept + i, count);
            state.Store(h + i, count);
            state.Store(y + i, count);
        }
    }

    /// <summary>n = tanh(n + r (h U + b)); h = n + z (h - n).</summary>
    private readonly struct GruBody(float* gates, nint n, float* products, float* h, float* y) : IElementBody
    {
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes reset = TLanes.Load(gates + i, count), update = TLanes.Load(gates + n + i, count);
            float* place = gates + (2 * n) + i;
            TLanes next = Elementary.Tanh(TLanes.MultiplyAdd(reset, TLanes.Load(products + i, count), TLanes.Load(place, count)));
            TLanes state = TLanes.MultiplyAdd(update, TLanes.Load(h + i, count) - next, next);
            next.Store(place, count);
            state.Store(h + i, count);
            state.Store(y + i, count);
        }
    }
}

using FastNN.Functions;
using FastNN.Kernels;

namespace FastNN.Cpu;

/// <content>Some sequences of a batch, backward through all steps.</content>
internal sealed unsafe partial class CpuRecurrence
{
    /// <summary>
    /// The gates' gradients in the place of the gates. What h's gradient gets from the step behind it is added up in dState:
    /// a step takes it and leaves what does not go through the products, which are then added. Steps behind a sequence's end
    /// leave it alone, as their gates' gradients are 0.
    /// </summary>
    private readonly struct BackwardBody : IParallelBody, ILanesAction
    {
        private readonly RecurrenceGeometry _geometry;
        private readonly float* _gates, _kept, _y, _firstState, _firstCell, _dY, _dState, _dCell, _zeros, _panels, _later;
        private readonly int* _lengths;
        private readonly int _rowsPerTask, _row, _end;
        private readonly bool _toFirst;

        public BackwardBody(
            RecurrenceGeometry geometry, in RecurrenceTensors tensors, in RecurrenceGradients gradients, float* panels,
            float* later, float* zeros, float* dState, float* dCell, int rowsPerTask)
        {
            (_geometry, _rowsPerTask) = (geometry, rowsPerTask);
            _panels = panels;
            _later = later;
            _zeros = zeros;
            _dState = dState;
            _dCell = dCell;
            _gates = (float*)tensors.Gates;
            _kept = (float*)tensors.Kept(geometry);
            _y = Floats(tensors.Y);
            _dY = Floats(gradients.Y);
            _firstState = Floats(tensors.FirstState);
            _firstCell = Floats(tensors.FirstCell);
            _lengths = tensors.Lengths is null ? null : (int*)tensors.Lengths.Address;
            _toFirst = gradients.FirstState.Tensor is not null;
        }

        private BackwardBody(in BackwardBody body, int row, int end)
        {
            this = body;
            (_row, _end) = (row, end);
        }

        public int Tasks => (_geometry.Batch + _rowsPerTask - 1) / _rowsPerTask;

        public void Invoke(int task, int worker)
        {
            int row = task * _rowsPerTask;
            var rows = new BackwardBody(this, row, Math.Min(_geometry.Batch, row + _rowsPerTask));
            Simd.Dispatch(ref rows);
        }

        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes>
        {
            (int width, nint hidden, int joined) = (_geometry.Width, _geometry.Hidden, _geometry.Joined);
            int rows = _end - _row;
            for (int s = _geometry.Steps - 1; s >= 0; s--)
            {
                int time = _geometry.Time(s);
                nint first = ((nint)time * _geometry.Batch) + _row;
                for (int row = _row; row < _end; row++)
                {
                    Row<TLanes>(s, time, row, first + row - _row);
                }

                if (s > 0 || _toFirst)
                {
                    float* dState = _dState + (_row * hidden);
                    RecurrentProduct.Multiply<TLanes>(
                        rows, (int)hidden, joined, _gates + (first * width), width, _panels, joined, dState, (nint)hidden,
                        Epilogue.Add);
                    if (joined < width)
                    {
                        RecurrentProduct.Multiply<TLanes>(
                            rows, (int)hidden, (int)hidden, _kept + (first * hidden), (nint)hidden, _later, (int)hidden, dState,
                            (nint)hidden, Epilogue.Add);
                    }
                }
            }
        }

        private void Row<TLanes>(int s, int time, int row, nint place)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            nint n = _geometry.Hidden;
            float* gates = _gates + (place * _geometry.Width), kept = _kept == null ? null : _kept + (place * n);
            if (_lengths != null && time >= _lengths[row])
            {
                new Span<float>(gates, _geometry.Width).Clear();
                if (_geometry.Cell == RecurrentCell.Gru)
                {
                    new Span<float>(kept, _geometry.Hidden).Clear();
                }

                return;
            }

            // The first step of a sequence, as it is computed.
            bool begins = s == 0 || (_lengths != null && _geometry.IsReverse && time == _lengths[row] - 1);
            nint before = place + _geometry.Before;
            float* dY = _dY == null ? _zeros : _dY + (place * n), dState = _dState + (row * n);
            switch (_geometry.Cell)
            {
                case RecurrentCell.Lstm:
                    float* cell = !begins ? _kept + (before * n) : _firstCell == null ? _zeros : _firstCell + (row * n);
                    ElementLoop.Range<TLanes, LstmGradient>(new(gates, n, kept, cell, dY, dState, _dCell + (row * n)), 0, n);
                    break;
                case RecurrentCell.Gru:
                    float* state = !begins ? _y + (before * n) : _firstState == null ? _zeros : _firstState + (row * n);
                    ElementLoop.Range<TLanes, GruGradient>(new(gates, n, kept, state, dY, dState), 0, n);
                    break;
                case RecurrentCell.Tanh:
                    ElementLoop.Range<TLanes, CellGradient<Functions.Tanh>>(new(gates, dY, dState), 0, n);
                    break;
                default:
                    ElementLoop.Range<TLanes, CellGradient<Functions.Relu>>(new(gates, dY, dState), 0, n);
                    break;
            }
        }
    }

    private readonly struct CellGradient<TFunction>(float* gates, float* dY, float* dState) : IElementBody
        where TFunction : struct, IUnaryFunction
    {
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes dH = TLanes.Load(dY + i, count) + TLanes.Load(dState + i, count);
            TFunction.Gradient(TLanes.Load(gates + i, count), dH, default).Store(gates + i, count);
            TLanes.Broadcast(0f).Store(dState + i, count);
        }
    }

    private readonly struct LstmGradient(
        float* gates, nint n, float* cell, float* before, float* dY, float* dState, float* dCell) : IElementBody
    {
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            float* first = gates + i, second = first + n, third = second + n, fourth = third + n;
            TLanes input = TLanes.Load(first, count), forget = TLanes.Load(second, count);
            TLanes next = TLanes.Load(third, count), output = TLanes.Load(fourth, count);
            TLanes one = TLanes.Broadcast(1f), tanh = Elementary.Tanh(TLanes.Load(cell + i, count));
            TLanes dH = TLanes.Load(dY + i, count) + TLanes.Load(dState + i, count);
            TLanes dC = TLanes.MultiplyAdd(dH * output, (one - tanh) * (one + tanh), TLanes.Load(dCell + i, count));
            (dC * next * (input * (one - input))).Store(first, count);
            (dC * TLanes.Load(before + i, count) * (forget * (one - forget))).Store(second, count);
            (dC * input * ((one - next) * (one + next))).Store(third, count);
            (dH * tanh * (output * (one - output))).Store(fourth, count);
            (dC * forget).Store(dCell + i, count);
            TLanes.Broadcast(0f).Store(dState + i, count);
        }
    }

    private readonly struct GruGradient(float* gates, nint n, float* products, float* before, float* dY, float* dState)
        : IElementBody
    {
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            float* first = gates + i, second = first + n, third = second + n;
            TLanes reset = TLanes.Load(first, count), update = TLanes.Load(second, count), next = TLanes.Load(third, count);
            TLanes one = TLanes.Broadcast(1f), dH = TLanes.Load(dY + i, count) + TLanes.Load(dState + i, count);
            TLanes dNext = dH * (one - update) * ((one - next) * (one + next));
            (dNext * TLanes.Load(products + i, count) * (reset * (one - reset))).Store(first, count);
            (dH * (TLanes.Load(before + i, count) - next) * (update * (one - update))).Store(second, count);
            dNext.Store(third, count);
            (dNext * reset).Store(products + i, count);
            (dH * update).Store(dState + i, count);
        }
    }
}

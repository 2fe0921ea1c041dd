using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Recurrent sequences: products over all steps as dense layers have them, and one launch for each step.</summary>
internal sealed unsafe partial class CudaRecurrence
{
    private const int Rows = 32, ForwardUnits = 16, BackwardUnits = 32, Threads = 256;

    /// <summary>Of kernels/recurrence.cu: columns that lanes of a warp sum, and threads.</summary>
    private const int BiasColumns = 128, BiasThreads = 1024;

    public void RecurrenceForward(RecurrenceGeometry geometry, in RecurrenceTensors tensors, Tensor workspace)
    {
        if (Cudnn.Find(geometry) is { } sequence)
        {
            ForwardByCudnn(sequence, geometry, tensors, workspace);
            return;
        }

        (int batch, int hidden, int width) = (geometry.Batch, geometry.Hidden, geometry.Width);
        Multiply(
            geometry.Rows, geometry.Inputs, width, tensors.X.Address, tensors.InputWeight.Address, tensors.Gates,
            default);
        if (tensors.Cell is { } cell)
        {
            if (tensors.FirstCell is { } first)
            {
                Copy(first, cell, accumulate: false);
            }
            else
            {
                Fill(cell, 0);
            }
        }

        // h goes back and forth between two places, the last step's is the output.
        nint state = AddressOf(tensors.FirstState), kept = tensors.Kept(geometry);
        for (int s = 0; s < geometry.Steps; s++)
        {
            nint step = (nint)geometry.Time(s) * batch * sizeof(float);
            nint next = (geometry.Steps - s) % 2 == 1 ? tensors.State.Address : workspace.Address;
            Launch(
                "recurrence", ForwardKernel(geometry.Cell), Grid(geometry, ForwardUnits),
                new RecurrenceForwardArguments(
                    tensors.Gates + (step * width), Step(kept, step * hidden),
                    tensors.Y.Address + (step * hidden),
                    AddressOf(tensors.Cell), state, next, tensors.HiddenWeight.Address, AddressOf(tensors.InputBias),
                    AddressOf(tensors.HiddenBias), AddressOf(tensors.Lengths), batch, hidden, geometry.Time(s), 0));
            state = next;
        }
    }

    public void RecurrenceBackward(
        RecurrenceGeometry geometry, in RecurrenceTensors tensors, in RecurrenceGradients gradients, Tensor workspace)
    {
        if (Cudnn.Find(geometry) is { } sequence)
        {
            BackwardByCudnn(sequence, geometry, tensors, gradients, workspace);
            return;
        }

        (int width, int hidden) = (geometry.Width, geometry.Hidden);
        nint states = (nint)geometry.Batch * hidden * sizeof(float);
        nint dState = workspace.Address, dCell = dState + states, ends = dCell + states;
        Steps(geometry, tensors, gradients, dState, dCell);
        if (gradients.HiddenBias.Tensor is not null || gradients.InputBias.Tensor is not null)
        {
            int columns = geometry.Hidden % 8 == 0 ? BiasColumns : BiasColumns - MostShift;
            Launch(
                "recurrence", "recurrence_bias", new Grid(Blocks(width, columns), BiasThreads),
                new RecurrenceBiasArguments(
                    tensors.Gates, tensors.Kept(geometry), AddressOf(gradients.InputBias.Tensor),
                    AddressOf(gradients.HiddenBias.Tensor), geometry.Rows, width, geometry.Joined,
                    gradients.InputBias.Accumulate ? 1 : 0, gradients.HiddenBias.Accumulate ? 1 : 0, columns, 0));
        }

        if (gradients.HiddenWeight is { Tensor: { } dHidden } hiddenWeight)
        {
            HiddenWeight(geometry, tensors, dHidden, hiddenWeight.Accumulate, ends);
        }

        if (gradients.InputWeight is { Tensor: { } dInput } inputWeight)
        {
            MultiplyBackwardWeight(
                geometry.Rows, geometry.Inputs, width, tensors.X.Address, tensors.Gates, dInput.Address, 0,
                inputWeight.Accumulate, false);
        }

        if (gradients.X is { Tensor: { } dX } x)
        {
            MultiplyBackwardData(
                geometry.Rows, geometry.Inputs, width, tensors.Gates, tensors.InputWeight.Address, dX.Address,
                x.Accumulate);
        }
    }

    private static Grid Grid(RecurrenceGeometry geometry, int units) =>
        new(Blocks(geometry.Hidden, units), Threads, Blocks(geometry.Batch, Rows));

    private static nint Step(nint address, nint bytes) => address == 0 ? 0 : address + bytes;

    private static string ForwardKernel(RecurrentCell cell) => cell switch
    {
        RecurrentCell.Lstm => "recurrence_forward_lstm",
        RecurrentCell.Gru => "recurrence_forward_gru",
        RecurrentCell.ReLU => "recurrence_forward_relu",
        _ => "recurrence_forward_tanh",
    };

    private static string BackwardKernel(RecurrentCell cell) => cell switch
    {
        RecurrentCell.Lstm => "recurrence_backward_lstm",
        RecurrentCell.Gru => "recurrence_backward_gru",
        RecurrentCell.ReLU => "recurrence_backward_relu",
        _ => "recurrence_backward_tanh",
    };

    /// <summary>From the last step to the first, and the gradient of the first state where it is wanted.</summary>
    private void Steps(
        RecurrenceGeometry geometry, in RecurrenceTensors tensors, in RecurrenceGradients gradients, nint dState, nint dCell)
    {
        bool isLstm = geometry.Cell == RecurrentCell.Lstm;
        nint h = (nint)geometry.Hidden * sizeof(float), w = (nint)geometry.Width * sizeof(float);
        nint stateIn = AddressOf(gradients.State), cellIn = AddressOf(gradients.Cell), behind = 0, keptBehind = 0;
        nint keeps = tensors.Kept(geometry);
        Tensor? firsts = isLstm ? tensors.FirstCell : tensors.FirstState;
        for (int s = geometry.Steps - 1; s >= 0; s--)
        {
            nint step = (nint)geometry.Time(s) * geometry.Batch;
            nint gates = tensors.Gates + (step * w), kept = Step(keeps, step * h);
            nint before = s == 0 ? 0 : (isLstm ? keeps : tensors.Y.Address) + ((step + geometry.Before) * h);
            Launch(
                "recurrence", BackwardKernel(geometry.Cell), Grid(geometry, BackwardUnits),
                new RecurrenceBackwardArguments(
                    gates, kept, behind, keptBehind, before, AddressOf(firsts), Step(AddressOf(gradients.Y), step * h),
                    stateIn, cellIn, dState, isLstm ? dCell : 0, tensors.HiddenWeight.Address,
                    AddressOf(tensors.Lengths), geometry.Batch,
                    geometry.Hidden, geometry.Time(s), s == 0 ? 1 : 0, geometry.IsReverse ? 1 : 0, 0, 0, 0));
            (stateIn, cellIn, behind, keptBehind) = (dState, isLstm ? dCell : 0, gates, kept);
        }

        // The cell is the later input: where both are one value, it writes and the state adds.
        AddTo(gradients.FirstCell, dCell);
        if (gradients.FirstState is { Tensor: { } first } wanted)
        {
            Launch(
                "recurrence", BackwardKernel(geometry.Cell), Grid(geometry, BackwardUnits),
                new RecurrenceBackwardArguments(
                    0, 0, behind, keptBehind, 0, 0, 0, stateIn, 0, first.Address, 0, tensors.HiddenWeight.Address, 0,
                    geometry.Batch, geometry.Hidden, 0, 0, 0, 1, wanted.Accumulate ? 1 : 0, 0));
        }
    }

    /// <summary>A gradient (=|+=) what was computed elsewhere.</summary>
    private void AddTo(WantedGradient gradient, nint source)
    {
        if (gradient.Tensor is { } target)
        {
            Launch(
                "recurrence", "recurrence_add", new Grid(Blocks(target.Count, Threads), Threads),
                new RecurrenceAddArguments(source, target.Address, target.Count, gradient.Accumulate ? 1 : 0, 0));
        }
    }

    /// <summary>h before each step, transposed, times the gates' gradients: y of the step before it, and the first
    /// state.</summary>
    private void HiddenWeight(
        RecurrenceGeometry geometry, in RecurrenceTensors tensors, Tensor dWeight, bool accumulate, nint ends)
    {
        (int width, int hidden, int joined) = (geometry.Width, geometry.Hidden, geometry.Joined);
        nint batch = geometry.Batch;
        nint gates = tensors.Gates, kept = tensors.Kept(geometry), target = dWeight.Address;
        nint rowOfState = (nint)hidden * sizeof(float), rowOfGates = (nint)width * sizeof(float);
        int rows = geometry.Rows - geometry.Batch;
        if (rows > 0)
        {
            nint from = geometry.IsReverse ? batch : 0, to = batch - from;
            Product(
                rows, tensors.Y.Address + (from * rowOfState), gates + (to * rowOfGates), kept + (to * rowOfState), accumulate);
            accumulate = true;
        }

        if (tensors.FirstState is { } state)
        {
            nint step = geometry.Time(0) * batch;
            nint dGates = gates + (step * rowOfGates), dNew = kept + (step * rowOfState);
            if (geometry.IsReverse && tensors.Lengths is { } lengths)
            {
                Ends(gates, lengths, ends, width);
                dGates = ends;
                dNew = ends + (batch * rowOfGates);
                if (joined < width)
                {
                    Ends(kept, lengths, dNew, hidden);
                }
            }

            Product(geometry.Batch, state.Address, dGates, dNew, accumulate);
            accumulate = true;
        }

        if (!accumulate)
        {
            Fill(dWeight, 0);
        }

        void Ends(nint from, Tensor lengths, nint to, int columns) => Launch(
            "recurrence", "recurrence_ends", new Grid(Blocks((long)batch * columns, Threads), Threads),
            new RecurrenceFirstArguments(from, lengths.Address, to, (int)batch, columns));

        void Product(int count, nint h, nint dGates, nint dNew, bool add)
        {
            if (joined == width)
            {
                MultiplyBackwardWeight(count, hidden, width, h, dGates, target, 0, add, false);
                return;
            }

            Blas.Gemm(true, false, hidden, joined, count, h, hidden, dGates, width, add ? 1 : 0, target, width);
            Blas.Gemm(
                true, false, hidden, hidden, count, h, hidden, dNew, hidden, add ? 1 : 0,
                target + ((nint)joined * sizeof(float)), width);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct RecurrenceForwardArguments(
        nint Gates, nint Kept, nint Y, nint Cell, nint State, nint Next, nint Weight, nint InputBias, nint StateBias,
        nint Lengths, int Batch, int Hidden, int Time, int Unused);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct RecurrenceBackwardArguments(
        nint Gates, nint Kept, nint Behind, nint KeptBehind, nint Before, nint First, nint DY, nint StateIn, nint CellIn,
        nint DState, nint DCell, nint Weight, nint Lengths, int Batch, int Hidden, int Time, int IsFirst, int IsReverse,
        int OnlyState, int Accumulate, int Unused);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct RecurrenceBiasArguments(
        nint Gates, nint Kept, nint DInput, nint DState, long Rows, int Width, int Joined, int AccumulateInput,
        int AccumulateState, int Columns, int Unused);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct RecurrenceFirstArguments(nint Rows, nint Lengths, nint Y, int Batch, int Columns);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct RecurrenceAddArguments(nint X, nint Y, long Count, int Accumulate, int Unused);
}

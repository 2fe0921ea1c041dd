using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// Recurrent sequences by cuDNN: one launch brings our weights to its weight space, one brings their gradients back. What forward
/// saves is that weight space and cuDNN's reserve, so backward packs nothing. cuDNN has no sequence that goes backward alone, so
/// there steps are turned around before and behind it.
/// </summary>
internal sealed unsafe partial class CudaRecurrence
{
    private const int PackTile = 32, MostMatrices = 8;

    public long RecurrenceSavedBytes(RecurrenceGeometry geometry, bool training) =>
        Cudnn.Find(geometry) is not { } sequence ? geometry.SavedBytes(training)
        : training ? new SavedPlaces(sequence, 0).Bytes
        : 0;

    public long RecurrenceWorkspaceBytes(RecurrenceGeometry geometry, bool backward) =>
        Cudnn.Find(geometry) is not { } sequence ? backward ? geometry.BackwardBytes : geometry.ForwardBytes
        : backward ? new BackwardPlaces(sequence, 0).Bytes
        : new ForwardPlaces(sequence, 0).Bytes;

    private void ForwardByCudnn(
        CudnnRecurrence sequence, RecurrenceGeometry geometry, in RecurrenceTensors tensors, Tensor workspace)
    {
        var places = new ForwardPlaces(sequence, workspace.Address);
        SavedPlaces saved = tensors.Saved is { } kept ? new SavedPlaces(sequence, kept.Address) : default;
        bool training = tensors.Saved is not null;
        nint weights = training ? saved.Weights : places.Weights, x = tensors.X.Address, y = tensors.Y.Address;
        LaunchWeights(
            "recurrence_pack", sequence,
            new RecurrenceWeightsArguments
            {
                InputWeight = tensors.InputWeight.Address,
                HiddenWeight = tensors.HiddenWeight.Address,
                InputBias = AddressOf(tensors.InputBias),
                HiddenBias = AddressOf(tensors.HiddenBias),
                Space = weights,
            });
        if (geometry.IsReverse)
        {
            Turn(geometry, geometry.Inputs, x, places.X, accumulate: false);
            (x, y) = (places.X, places.Y);
        }

        Cudnn.Forward(
            sequence, training, x, y, AddressOf(tensors.FirstState), tensors.State.Address, AddressOf(tensors.FirstCell),
            AddressOf(tensors.Cell), weights, places.Work, saved.Reserve);
        if (geometry.IsReverse)
        {
            Turn(geometry, geometry.Hidden, y, tensors.Y.Address, accumulate: false);
        }
    }

    private void BackwardByCudnn(
        CudnnRecurrence sequence, RecurrenceGeometry geometry, in RecurrenceTensors tensors, in RecurrenceGradients gradients,
        Tensor workspace)
    {
        var places = new BackwardPlaces(sequence, workspace.Address);
        var saved = new SavedPlaces(sequence, tensors.Saved!.Address);
        nint y = tensors.Y.Address, dY = AddressOf(gradients.Y);
        nint h = AddressOf(tensors.FirstState), c = AddressOf(tensors.FirstCell);
        if (geometry.IsReverse)
        {
            Turn(geometry, geometry.Hidden, y, places.Y, accumulate: false);
            y = places.Y;
        }

        if (dY == 0)
        {
            Zero(places.DY, (long)geometry.Rows * geometry.Hidden * sizeof(float));
            dY = places.DY;
        }
        else if (geometry.IsReverse)
        {
            Turn(geometry, geometry.Hidden, dY, places.DY, accumulate: false);
            dY = places.DY;
        }

        // cuDNN writes these (=), in the steps' order.
        bool turns = geometry.IsReverse || gradients.X.Accumulate || gradients.X.Tensor is null;
        nint dX = turns ? places.DX : gradients.X.Tensor!.Address;
        nint dH = Written(gradients.FirstState, places.DState), dC = Written(gradients.FirstCell, places.DCell);
        Cudnn.BackwardData(
            sequence, y, dY, dX, h, AddressOf(gradients.State), dH, c, AddressOf(gradients.Cell), dC, saved.Weights, places.Work,
            saved.Reserve);
        AddIfElsewhere(gradients.FirstCell, dC);
        AddIfElsewhere(gradients.FirstState, dH);
        if (gradients.InputWeight.Tensor is not null || gradients.HiddenWeight.Tensor is not null
            || gradients.InputBias.Tensor is not null || gradients.HiddenBias.Tensor is not null)
        {
            BackwardWeights(sequence, geometry, tensors, gradients, places, saved, y);
        }

        if (turns && gradients.X.Tensor is { } wanted)
        {
            Turn(geometry, geometry.Inputs, dX, wanted.Address, gradients.X.Accumulate);
        }
    }

    private void BackwardWeights(
        CudnnRecurrence sequence, RecurrenceGeometry geometry, in RecurrenceTensors tensors, in RecurrenceGradients gradients,
        in BackwardPlaces places, in SavedPlaces saved, nint y)
    {
        nint x = tensors.X.Address;
        if (geometry.IsReverse)
        {
            Turn(geometry, geometry.Inputs, x, places.X, accumulate: false);
            x = places.X;
        }

        Zero(places.DWeights, (long)sequence.WeightBytes);
        Cudnn.BackwardWeights(
            sequence, x, AddressOf(tensors.FirstState), y, places.DWeights, places.Work, saved.Reserve);
        LaunchWeights(
            "recurrence_unpack", sequence,
            new RecurrenceWeightsArguments
            {
                InputWeight = AddressOf(gradients.InputWeight.Tensor),
                HiddenWeight = AddressOf(gradients.HiddenWeight.Tensor),
                InputBias = AddressOf(gradients.InputBias.Tensor),
                HiddenBias = AddressOf(gradients.HiddenBias.Tensor),
                Space = places.DWeights,
                AccumulateInputWeight = gradients.InputWeight.Accumulate ? 1 : 0,
                AccumulateHiddenWeight = gradients.HiddenWeight.Accumulate ? 1 : 0,
                AccumulateInputBias = gradients.InputBias.Accumulate ? 1 : 0,
                AccumulateHiddenBias = gradients.HiddenBias.Accumulate ? 1 : 0,
            });
    }

    private static nint Written(WantedGradient gradient, nint elsewhere) =>
        gradient.Tensor is { } target && !gradient.Accumulate ? target.Address
        : gradient.Tensor is null ? 0
        : elsewhere;

    private void AddIfElsewhere(WantedGradient gradient, nint source)
    {
        if (gradient.Accumulate)
        {
            AddTo(gradient, source);
        }
    }

    private void LaunchWeights(string kernel, CudnnRecurrence sequence, RecurrenceWeightsArguments arguments)
    {
        RecurrenceGeometry geometry = sequence.Geometry;
        (arguments.Inputs, arguments.Hidden, arguments.Gates) = (geometry.Inputs, geometry.Hidden, geometry.Gates);
        for (int i = 0; i < sequence.Matrices.Length; i++)
        {
            (arguments.Matrices[i], arguments.Biases[i]) = (sequence.Matrices[i], sequence.Biases[i]);
        }

        int columns = geometry.Gates * Blocks(geometry.Hidden, PackTile);
        int rows = Blocks(Math.Max(geometry.Inputs, geometry.Hidden), PackTile);
        Launch("recurrence", kernel, new Grid(columns, Threads, rows + 1), arguments);
    }

    private void Turn(RecurrenceGeometry geometry, int columns, nint x, nint y, bool accumulate)
    {
        long row = (long)geometry.Batch * columns;
        int blocks = Blocks(row, Threads);
        Launch(
            "recurrence", "recurrence_turn", new Grid(checked(blocks * geometry.Steps), Threads),
            new RecurrenceTurnArguments(
                x, y, row, geometry.Steps, blocks, geometry.IsReverse ? 1 : 0, accumulate ? 1 : 0));
    }

    /// <summary>Hands out places one behind the other, aligned as libraries like them; from address 0 it counts bytes.</summary>
    private ref struct Places(nint address)
    {
        private const long Alignment = 256;

        private long _next = Aligned(address);

        /// <summary>What is needed in all, wherever the memory begins.</summary>
        public readonly long Bytes => _next + Alignment;

        public nint Take(long bytes)
        {
            long place = _next;
            _next = Aligned(place + bytes);
            return (nint)place;
        }

        public nint Floats(RecurrenceGeometry geometry, long columns) => Take(geometry.Rows * columns * sizeof(float));

        private static long Aligned(long at) => (at + Alignment - 1) / Alignment * Alignment;
    }

    private readonly struct SavedPlaces
    {
        public SavedPlaces(CudnnRecurrence sequence, nint address)
        {
            var places = new Places(address);
            Weights = places.Take((long)sequence.WeightBytes);
            Reserve = places.Take((long)sequence.ReserveBytes);
            Bytes = places.Bytes;
        }

        public nint Weights { get; }

        public nint Reserve { get; }

        public long Bytes { get; }
    }

    /// <summary>Forward's scratch; the weights of inference, which saves nothing.</summary>
    private readonly struct ForwardPlaces
    {
        public ForwardPlaces(CudnnRecurrence sequence, nint address)
        {
            RecurrenceGeometry geometry = sequence.Geometry;
            var places = new Places(address);
            Work = places.Take((long)Math.Max(sequence.TrainingWorkspaceBytes, sequence.InferenceWorkspaceBytes));
            Weights = places.Take((long)sequence.WeightBytes);
            X = geometry.IsReverse ? places.Floats(geometry, geometry.Inputs) : 0;
            Y = geometry.IsReverse ? places.Floats(geometry, geometry.Hidden) : 0;
            Bytes = places.Bytes;
        }

        public nint Work { get; }

        public nint Weights { get; }

        public nint X { get; }

        public nint Y { get; }

        public long Bytes { get; }
    }

    private readonly struct BackwardPlaces
    {
        public BackwardPlaces(CudnnRecurrence sequence, nint address)
        {
            RecurrenceGeometry geometry = sequence.Geometry;
            long state = (long)geometry.Batch * geometry.Hidden * sizeof(float);
            var places = new Places(address);
            Work = places.Take((long)sequence.TrainingWorkspaceBytes);
            DWeights = places.Take((long)sequence.WeightBytes);
            DX = places.Floats(geometry, geometry.Inputs);
            DY = places.Floats(geometry, geometry.Hidden);
            DState = places.Take(state);
            DCell = places.Take(state);
            X = geometry.IsReverse ? places.Floats(geometry, geometry.Inputs) : 0;
            Y = geometry.IsReverse ? places.Floats(geometry, geometry.Hidden) : 0;
            Bytes = places.Bytes;
        }

        public nint Work { get; }

        public nint DWeights { get; }

        public nint DX { get; }

        public nint DY { get; }

        public nint DState { get; }

        public nint DCell { get; }

        public nint X { get; }

        public nint Y { get; }

        public long Bytes { get; }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct RecurrenceWeightsArguments
    {
        public nint InputWeight, HiddenWeight, InputBias, HiddenBias, Space;
        public int Inputs, Hidden, Gates;
        public int AccumulateInputWeight, AccumulateHiddenWeight, AccumulateInputBias, AccumulateHiddenBias;
        public int Unused;
        public fixed int Matrices[MostMatrices];
        public fixed int Biases[MostMatrices];
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct RecurrenceTurnArguments(
        nint X, nint Y, long Row, int Steps, int Blocks, int IsReverse, int Accumulate);
}

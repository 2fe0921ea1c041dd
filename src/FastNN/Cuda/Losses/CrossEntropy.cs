using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Cross-entropy: one launch forward, the mean included, and one backward; which, by the shape.</summary>
internal sealed unsafe partial class CudaLosses
{
    /// <summary>The most blocks that leave partial sums, two of them each.</summary>
    private const int MaxRowBlocks = 8192;

    private const int RowThreadsOfLoss = 256, GradientElements = 4096;

    public void CrossEntropyForward(
        in CrossEntropyOptions options, Tensor x, Tensor targets, Tensor? classWeights, Tensor loss, Tensor saved)
    {
        CrossEntropyArguments arguments = ArgumentsOf(options, x, targets, classWeights, saved) with { Loss = loss.Address };
        (int rows, int classes) = ((int)arguments.Rows, arguments.Classes);
        if (rows == 0 && options.Reduction == Reduction.None)
        {
            return;
        }

        if (arguments.Indices != 0 && options.Input != CrossEntropyInput.Logits)
        {
            Launch("crossentropy", "crossentropy_forward_gather", new Grid(RowBlocks(rows, 128), 128), arguments);
        }
        else if (classes <= ShortRow)
        {
            // A thread per row; two tiles fit into shared memory beside the weights.
            int perTile = classes <= ShortRow / 3 ? 128 : 48;
            int tiles = arguments.Targets == 0 ? 1 : 2;
            int shared = sizeof(float) * ((classWeights is null ? 0 : (classes + 3) & ~3) + (tiles * perTile * classes));
            var grid = new Grid(RowBlocks(rows, perTile), 128, Shared: shared);
            Launch("crossentropy", "crossentropy_forward_tiles", grid, arguments with { PerTile = perTile });
        }
        else
        {
            string kernel = classes + 7 <= RowThreadsOfLoss * RowItems
                ? "crossentropy_forward_rows"
                : "crossentropy_forward_long";
            Launch("crossentropy", kernel, new Grid(RowBlocks(rows, 1), RowThreadsOfLoss), arguments);
        }
    }

    public void CrossEntropyBackward(
        in CrossEntropyOptions options, Tensor x, Tensor targets, Tensor? classWeights, Tensor saved, Tensor dLoss, Tensor dX,
        bool accumulate)
    {
        CrossEntropyArguments arguments = ArgumentsOf(options, x, targets, classWeights, saved) with
        {
            DLoss = dLoss.Address,
            DX = dX.Address,
            Accumulate = accumulate ? 1 : 0,
        };
        (int rows, int classes) = ((int)arguments.Rows, arguments.Classes);
        if (rows == 0)
        {
            return;
        }

        if (arguments.Indices != 0)
        {
            int perTile = Math.Clamp(GradientElements / classes, 1, 256);
            perTile = perTile > 8 ? perTile & ~7 : perTile;
            var grid = new Grid(Blocks(rows, perTile), RowThreadsOfLoss);
            Launch("crossentropy", "crossentropy_backward_indices", grid, arguments with { PerTile = perTile });
        }
        else
        {
            int perTile = classes > TileFloats ? 0 : RowsPerTile(classes, 64);
            var grid = new Grid(Blocks(rows, Math.Max(1, perTile)), RowThreadsOfLoss, Shared: perTile * classes * sizeof(float));
            Launch("crossentropy", "crossentropy_backward_probabilities", grid, arguments with { PerTile = perTile });
        }
    }

    private static int RowBlocks(int rows, int perBlock) => Math.Clamp(Blocks(rows, perBlock), 1, MaxRowBlocks);

    private CrossEntropyArguments ArgumentsOf(
        in CrossEntropyOptions options, Tensor x, Tensor targets, Tensor? classWeights, Tensor saved)
    {
        int classes = x.Shape[-1];
        bool indices = targets.Type == DType.Int32;
        return new CrossEntropyArguments
        {
            X = x.Address,
            Indices = indices ? targets.Address : 0,
            Targets = indices ? 0 : targets.Address,
            Weights = AddressOf(classWeights),
            Saved = saved.Address,
            Scratch = Sums,
            Rows = classes == 0 ? 0 : x.Count / classes,
            Classes = classes,
            Input = (int)options.Input,
            Reduction = (int)options.Reduction,
            Ignore = options.IgnoreIndex,
            Keep = 1 - options.LabelSmoothing,
            Spread = options.LabelSmoothing / classes,
        };
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct CrossEntropyArguments(
        nint X, nint Indices, nint Targets, nint Weights, nint Saved, nint Loss, nint DLoss, nint DX, ScratchAddresses Scratch,
        long Rows,
        int Classes, int PerTile, int Input, int Reduction, int Ignore, int Accumulate, float Keep, float Spread);
}

using System.Runtime.InteropServices;

namespace FastNN.Cuda;

/// <summary>Row-major matrices by their columns, see kernels/columns.cuh.</summary>
internal abstract unsafe partial class CudaFacet
{
    protected const int ColumnThreads = 256, LongestPeriod = 4 * ColumnThreads;

    /// <summary>Blocks of a column sum at most; each leaves a row of parts.</summary>
    protected const int MaxColumnBlocks = 512;

    protected static bool IsAligned(params ReadOnlySpan<nint> addresses)
    {
        nint bits = 0;
        foreach (nint address in addresses)
        {
            bits |= address;
        }

        return (bits & 15) == 0;
    }

    /// <summary>The walk over [rows, n], in steps so many to a block.</summary>
    protected static ColumnWalk WalkColumns(long count, int n, bool aligned, int stepsPerBlock)
    {
        long common = n % 4 == 0 ? n : n % 2 == 0 ? 2L * n : 4L * n;
        return aligned && common <= LongestPeriod
            ? new ColumnWalk(count, n, (int)(LongestPeriod / common * common), 4, stepsPerBlock)
            : aligned && n % 4 == 0 ? new ColumnWalk(count, n, n, 4, stepsPerBlock)
            : new ColumnWalk(count, n, n, 1, stepsPerBlock);
    }

    /// <summary>With few columns their bias costs a block little, so there can be many blocks.</summary>
    protected static int FinishSteps(int n) => n <= 128 ? 8 : 16;

    /// <summary>y = f(y + bias) over [rows, n]: 8 bytes per element.</summary>
    protected void FinishColumns(nint y, long count, int n, in EpilogueArguments epilogue)
    {
        ColumnWalk walk = WalkColumns(count, n, IsAligned(y), FinishSteps(n));
        Launch(
            "dense", "dense_bias_activation", new Grid(checked(walk.Blocks * walk.Parts), ColumnThreads),
            new BiasActivationArguments(y, epilogue, walk));
    }

    /// <summary>What sums the columns of x [rows, n], and over how many blocks and parts of them.</summary>
    protected ColumnSumArguments SumOfColumns(nint x, long count, int n, nint sums, bool accumulate) =>
        // A block's parts are written and read: few against what it reads.
        SumOfColumns(WalkColumns(count, n, IsAligned(x), stepsPerBlock: n <= 256 ? 8 : 32), x, sums, accumulate);

    /// <summary>The same in a walk of one's own.</summary>
    protected ColumnSumArguments SumOfColumns(ColumnWalk walk, nint x, nint sums, bool accumulate)
    {
        int fits = walk.Parts > TicketBytes / sizeof(uint)
            ? 1
            : Math.Max(1, (ScratchBytes - TicketBytes) / sizeof(float) / walk.N);
        int most = Math.Min(MaxColumnBlocks, fits);
        if (walk.Blocks > most)
        {
            walk = walk with { StepsPerBlock = Blocks(walk.Steps, most) };
        }

        return new ColumnSumArguments(
            x, sums, Scratch, Scratch + TicketBytes, walk, Math.Max(1, walk.Blocks), accumulate ? 1 : 0);
    }

    /// <summary>sums [n] (=|+=) the column sums of x [rows, n]: 4 bytes per element.</summary>
    protected void SumOverRows(nint x, long count, int n, nint sums, bool accumulate)
    {
        ColumnSumArguments arguments = SumOfColumns(x, count, n, sums, accumulate);
        Launch(
            "dense", "dense_bias_gradient", new Grid(checked(arguments.Blocks * arguments.Walk.Parts), ColumnThreads), arguments);
    }

    /// <summary>The struct Epilogue of kernels/tiles.cuh.</summary>
    [StructLayout(LayoutKind.Sequential)]
    protected readonly record struct EpilogueArguments(nint Bias, int Function, float Scalar)
    {
        public bool IsIdentity => Bias == 0 && Function == 0;
    }

    [StructLayout(LayoutKind.Sequential)]
    protected readonly record struct ColumnWalk(long Count, int N, int Period, int PerThread, int StepsPerBlock)
    {
        public long Steps => (Count + Period - 1) / Period;

        public int Blocks => CudaFacet.Blocks(Steps, StepsPerBlock);

        public int Parts => CudaFacet.Blocks(Period, ColumnThreads * PerThread);
    }

    [StructLayout(LayoutKind.Sequential)]
    protected readonly record struct BiasActivationArguments(nint Y, EpilogueArguments Epilogue, ColumnWalk Walk);

    [StructLayout(LayoutKind.Sequential)]
    protected readonly record struct ColumnSumArguments(
        nint X, nint Sums, nint Tickets, nint Parts, ColumnWalk Walk, int Blocks, int Accumulate);
}

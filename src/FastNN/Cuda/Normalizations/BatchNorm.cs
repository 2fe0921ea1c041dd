using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// Normalization of channels: two launches each way, one where a block has all rows in registers; one more where groups have
/// several channels and where parameters belong to several batches.
/// </summary>
internal sealed unsafe partial class CudaNormalizations
{
    /// <summary>Columns of a chunk, where there are more.</summary>
    private const int ChunkWidth = 64;

    private const int StepsPerThread = 8;

    /// <summary>Rows of a block at least, so that what belongs to its columns costs little beside them.</summary>
    private const int RowsPerBlock = 64;

    /// <summary>MOST_THREADS of kernels/batchnorm.cu.</summary>
    private const int MostStripThreads = 1024;

    /// <summary>
    /// Channels that are not cut in two chunks, whose rows would both move the sector where they meet, beside fewer than 18 of
    /// their own.
    /// </summary>
    private const int MostInTurns = 144;

    /// <summary>Steps that a thread of kernels/batchnorm.cu keeps in registers: BATCH there.</summary>
    private const int StepsInRegisters = 8;

    public void BatchNormTrain(
        in ColumnNormalization columns, RunningStatistics? running, Tensor? bias, Tensor? residual, bool relu, Tensor y)
    {
        ColumnGeometry geometry = columns.Geometry;
        if (geometry.Count == 0)
        {
            return;
        }

        Strips whole = StripsOf(geometry, IsAligned(columns.X.Address, AddressOf(residual), y.Address)).Cut(1);
        if (geometry.PerGroup == 1 && whole.Steps <= whole.Lanes * StepsInRegisters)
        {
            Launch(
                "batchnorm", whole.Kernel("batchnorm_whole_fours", "batchnorm_whole_ones", "batchnorm_whole_turns"),
                whole.Grid(geometry.Batches),
                new WholeArguments(
                    Statistics(columns, running, whole), AddressOf(columns.Weight), AddressOf(bias), AddressOf(residual),
                    y.Address, relu ? 1 : 0, 0));
            return;
        }

        if (IsNarrow(columns, [AddressOf(bias), AddressOf(residual), y.Address]))
        {
            BatchNormNarrow(columns, running, bias, residual, relu, y);
            return;
        }

        BatchNormStatistics(columns, running);
        BatchNormForward(columns, bias, residual, relu, y);
    }

    private void BatchNormStatistics(in ColumnNormalization columns, RunningStatistics? running)
    {
        ColumnGeometry geometry = columns.Geometry;
        Strips strips = SumStrips(geometry, IsAligned(columns.X.Address));
        Launch(
            "batchnorm", strips.Kernel("batchnorm_statistics_fours", "batchnorm_statistics_ones", "batchnorm_statistics_turns"),
            strips.Grid(geometry.Batches), Statistics(columns, running, strips));
        if (geometry.PerGroup > 1)
        {
            JoinMoments(columns);
        }
    }

    public void BatchNormForward(in ColumnNormalization columns, Tensor? bias, Tensor? residual, bool relu, Tensor y)
    {
        if (columns.Geometry.Count > 0)
        {
            Strips strips = MapStrips(columns.Geometry, IsAligned(columns.X.Address, AddressOf(residual), y.Address));
            Launch(
                "batchnorm", strips.Kernel("batchnorm_forward_fours", "batchnorm_forward_ones", "batchnorm_forward_turns"),
                strips.Grid(columns.Geometry.Batches),
                Arguments(columns, strips, y) with
                {
                    Bias = AddressOf(bias),
                    Residual = AddressOf(residual),
                    Relu = relu ? 1 : 0,
                });
        }
    }

    public void BatchNormSums(
        in ColumnNormalization columns, Tensor? y, Tensor dY, Tensor sums, in NormalizationGradients gradients)
    {
        ColumnGeometry geometry = columns.Geometry;
        if (geometry.Count == 0)
        {
            Empty(gradients.Weight, gradients.AccumulateWeight);
            Empty(gradients.Bias, gradients.AccumulateBias);
            return;
        }

        Strips strips = SumStrips(geometry, IsAligned(columns.X.Address, AddressOf(y), dY.Address));
        bool one = geometry.Batches == 1;
        nint dWeight = AddressOf(gradients.Weight), dBias = AddressOf(gradients.Bias);
        (int addWeight, int addBias) = (gradients.AccumulateWeight ? 1 : 0, gradients.AccumulateBias ? 1 : 0);
        Launch(
            "batchnorm", strips.Kernel("batchnorm_sums_fours", "batchnorm_sums_ones", "batchnorm_sums_turns"),
            strips.Grid(geometry.Batches),
            new SumsArguments(
                columns.X.Address, columns.Mean.Address, columns.Scale.Address, AddressOf(columns.Weight), AddressOf(y),
                dY.Address, sums.Address, columns.Workspace.Address, Scratch, one ? dWeight : 0, one ? dBias : 0, strips,
                (long)geometry.Batches * geometry.Channels, columns.Eps, columns.IsGiven ? 1 : 0, geometry.PerGroup, addWeight,
                addBias, 0));
        JoinSums(columns, sums, one ? gradients with { Weight = null, Bias = null } : gradients);
    }

    public void BatchNormBackward(in ColumnNormalization columns, Tensor dY, Tensor? sums, Tensor dX, bool accumulate)
    {
        if (columns.Geometry.Count > 0)
        {
            Strips strips = MapStrips(columns.Geometry, IsAligned(columns.X.Address, dY.Address, dX.Address));
            Launch(
                "batchnorm", strips.Kernel("batchnorm_backward_fours", "batchnorm_backward_ones", "batchnorm_backward_turns"),
                strips.Grid(columns.Geometry.Batches), Arguments(columns, strips, dX) with
                {
                    DY = dY.Address,
                    Sums = AddressOf(sums),
                    Accumulate = accumulate ? 1 : 0,
                });
        }
    }

    private StatisticsArguments Statistics(in ColumnNormalization columns, RunningStatistics? running, Strips strips) => new(
        columns.X.Address, columns.Mean.Address, columns.Scale.Address, columns.Workspace.Address, Scratch,
        AddressOf(running?.Mean), AddressOf(running?.Variance), AddressOf(running?.UpdatedMean),
        AddressOf(running?.UpdatedVariance), strips, columns.Eps, running?.Momentum ?? 0, columns.Geometry.PerGroup, 0);

    private static ColumnArguments Arguments(in ColumnNormalization columns, Strips strips, Tensor y) => new(
        columns.X.Address, columns.Mean.Address, columns.Scale.Address, AddressOf(columns.Weight), 0, 0, 0, 0, y.Address, strips,
        (long)columns.Geometry.Batches * columns.Geometry.Channels, columns.Eps, columns.IsGiven ? 1 : 0, 0, 0);

    /// <summary>The sum of nothing.</summary>
    private void Empty(Tensor? sum, bool accumulate)
    {
        if (sum is not null && !accumulate)
        {
            Fill(sum, 0);
        }
    }

    /// <summary>A column's rows are shared by as many blocks as there are tickets and parts for.</summary>
    private static Strips SumStrips(ColumnGeometry geometry, bool isAligned)
    {
        Strips strips = StripsOf(geometry, isAligned);
        long tickets = (long)geometry.Batches * strips.Chunks;
        return strips.Cut(tickets > MaxChunks ? 1 : Math.Max(geometry.MaxParts, strips.Sharing));
    }

    /// <summary>Rows enough to a block that what belongs to its columns costs little.</summary>
    private static Strips MapStrips(ColumnGeometry geometry, bool isAligned)
    {
        Strips strips = StripsOf(geometry, isAligned);
        int rows = strips.Sharing > 0 ? 0 : strips.Lanes * StepsPerThread;
        return strips.Cut(Blocks(strips.Steps, Math.Max(rows, Blocks(RowsPerBlock, strips.Period / strips.N))));
    }

    private static Strips StripsOf(ColumnGeometry geometry, bool isAligned)
    {
        int n = geometry.Channels;
        long count = (long)geometry.Rows * n, common = n % 4 == 0 ? n : n % 2 == 0 ? 2L * n : 4L * n;
        // A thread for each channel finishes the sums.
        bool fits = common <= 4 * ElementThreads && n <= ElementThreads, isAligned4 = isAligned && count % 4 == 0;
        if (isAligned4 && n % 4 == 0 && n >= ChunkWidth && (n % RowsAlike == 0 || !fits))
        {
            return Strips.Of(count, n, n, ChunkWidth, perThread: 4);
        }

        if (isAligned4 && fits)
        {
            int period = (int)(common * Math.Max(1, ChunkWidth / common));
            return Strips.Of(count, n, period, period, perThread: 4);
        }

        // So many rows are whole sectors.
        int together = RowsAlike / Math.Min(n & -n, RowsAlike);
        if (n >= ChunkWidth && n * (long)together > MostStripThreads)
        {
            // A block has all of few rows, which one launch may keep. Few channels more than it has threads for take two turns.
            bool isFew = geometry.Rows <= RowsAlike * StepsInRegisters;
            return Strips.Shared(
                count, n, lanes: isFew ? RowsAlike : RowsAlike / 2, turns: isFew && n <= MostInTurns ? 2 : 1);
        }

        int ones = n * Math.Max(1, ChunkWidth / n);
        int lanes = Math.Max(1, ElementThreads / ones / together) * together;
        return Strips.Of(count, n, ones, ones, perThread: 1) with { Lanes = lanes };
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Strips(
        long Count, int N, int Period, int Width, int Columns, int Lanes, int Chunks, int Steps, int StepsPerPart, int Parts,
        int Sharing, int Turns, int Unused)
    {
        private int Threads => Math.Max(ElementThreads, Blocks(Columns * Lanes / Turns, 32) * 32);

        /// <summary>By how many neighbors a thread has, or that it takes turns.</summary>
        public string Kernel(string fours, string ones, string turns) => Turns > 1 ? turns : Width == 4 * Columns ? fours : ones;

        public static Strips Of(long count, int n, int period, int width, int perThread)
        {
            int columns = width / perThread;
            return new Strips(
                count, n, period, width, columns, ElementThreads / columns, Blocks(period, width), Blocks(count, period), 0, 1,
                0, 1, 0);
        }

        /// <summary>
        /// Rows that begin anywhere within sectors, whose blocks have all of every eight, or four: lanes are moved by up to
        /// seven, and no warp has two rows. A thread may have several of the eight in turn.
        /// </summary>
        public static Strips Shared(long count, int n, int lanes, int turns)
        {
            // What belongs to channels begins with a sector in each chunk.
            int most = ((MostStripThreads * turns / lanes) - MostShift) / RowsAlike * RowsAlike, chunks = Blocks(n, most);
            int width = Blocks(Blocks(n, chunks), RowsAlike) * RowsAlike;
            int columns = Blocks(width + MostShift, 32) * 32;
            return new Strips(count, n, n, width, columns, lanes, chunks, Blocks(count, n), 0, 1, RowsAlike / lanes, turns, 0);
        }

        /// <summary>The same with the rows in so many parts at most.</summary>
        public Strips Cut(int parts)
        {
            if (Sharing > 0)
            {
                if (parts < Sharing)
                {
                    return Of(Count, N, Period, ChunkWidth, perThread: 1).Cut(parts);
                }

                int rows = Blocks(Blocks(Steps, parts / Sharing), RowsAlike) * RowsAlike;
                return this with { StepsPerPart = rows, Parts = Blocks(Steps, rows) * Sharing };
            }

            int steps = Blocks(Blocks(Steps, parts), Lanes) * Lanes;
            return this with { StepsPerPart = steps, Parts = Blocks(Steps, steps) };
        }

        public Grid Grid(int batches) => new(checked(batches * Chunks * Parts), Threads);
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct StatisticsArguments(
        nint X, nint Mean, nint Scale, nint Parts, nint Tickets, nint RunningMean, nint RunningVariance, nint UpdatedMean,
        nint UpdatedVariance, Strips Strips, float Eps, float Momentum, int PerGroup, int Unused);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct WholeArguments(
        StatisticsArguments Statistics, nint Weight, nint Bias, nint Residual, nint Y, int Relu, int Unused);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ColumnArguments(
        nint X, nint Mean, nint Scale, nint Weight, nint Bias, nint Residual, nint DY, nint Sums, nint Y, Strips Strips, long All,
        float Eps, int Given, int Accumulate, int Relu);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct SumsArguments(
        nint X, nint Mean, nint Scale, nint Weight, nint Y, nint DY, nint Sums, nint Parts, nint Tickets, nint DWeight,
        nint DBias, Strips Strips, long All, float Eps, int Given, int PerGroup, int AccumulateWeight, int AccumulateBias,
        int Unused);
}

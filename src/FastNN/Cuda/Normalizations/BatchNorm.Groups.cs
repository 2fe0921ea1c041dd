using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// What a normalization of channels does with the numbers of each channel and batch, see kernels/batchnormgroups.cu: groups of
/// several channels are joined, and the parameters' gradients are added up over the batches.
/// </summary>
internal sealed unsafe partial class CudaNormalizations
{
    /// <summary>BAND, BATCHES and LONG_BATCHES there, and the channels of a block where groups are no larger.</summary>
    private const int LongestBand = 1024, BatchesOfSlice = 16, BatchesOfLongSlice = 8, BandChannels = 256;

    private void JoinMoments(in ColumnNormalization columns)
    {
        ColumnGeometry geometry = columns.Geometry;
        long count = (long)geometry.Batches * geometry.Channels;
        int band = BandOf(geometry.PerGroup);
        string kernel = geometry.PerGroup > LongestBand ? "batchnormgroups_moments_long" : "batchnormgroups_moments";
        Launch(
            "batchnormgroups", kernel, new Grid(Blocks(count, band), ElementThreads),
            new GroupMomentsArguments(
                columns.Mean.Address, columns.Scale.Address, count, geometry.Rows, geometry.PerGroup, band, columns.Eps, 0));
    }

    private void JoinSums(in ColumnNormalization columns, Tensor sums, in NormalizationGradients gradients)
    {
        ColumnGeometry geometry = columns.Geometry;
        bool isLong = geometry.PerGroup > LongestBand;
        int perGroup = isLong ? 1 : geometry.PerGroup;
        int width = geometry.Channels <= BandChannels ? geometry.Channels : BandOf(perGroup);
        int slices = Blocks(geometry.Batches, BatchesOfSlice), ranges = Blocks(geometry.Channels, width);
        var arguments = new GroupSumsArguments(
            sums.Address, AddressOf(columns.Weight), AddressOf(gradients.Weight), AddressOf(gradients.Bias),
            columns.Workspace.Address, Scratch, geometry.Rows, geometry.Batches, geometry.Channels, geometry.PerGroup, width,
            slices,
            gradients.AccumulateWeight ? 1 : 0, gradients.AccumulateBias ? 1 : 0, 0);
        if (isLong)
        {
            int groups = geometry.Channels / geometry.PerGroup, longSlices = Blocks(geometry.Batches, BatchesOfLongSlice);
            var grid = new Grid(checked(groups * longSlices), ElementThreads);
            Launch("batchnormgroups", "batchnormgroups_sums_long", grid, arguments);
        }

        if (perGroup > 1 || arguments.DWeight != 0 || arguments.DBias != 0)
        {
            Launch(
                "batchnormgroups", "batchnormgroups_sums", new Grid(checked(ranges * slices), ElementThreads),
                arguments with { PerGroup = perGroup });
        }
    }

    /// <summary>Channels of a block: whole groups.</summary>
    private static int BandOf(int perGroup) => perGroup >= BandChannels ? perGroup : BandChannels / perGroup * perGroup;

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct GroupMomentsArguments(
        nint Mean, nint Scale, long Count, long Rows, int PerGroup, int Band, float Eps, int Unused);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct GroupSumsArguments(
        nint Sums, nint Weight, nint DWeight, nint DBias, nint Parts, nint Tickets, long Rows, int Batches, int N, int PerGroup,
        int Width, int Slices, int AccumulateWeight, int AccumulateBias, int Unused);
}

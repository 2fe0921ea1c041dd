using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Conversions between element types: a kernel per pair, found by the types' suffixes.</summary>
internal sealed unsafe partial class CudaElements
{
    /// <summary>Names by source, then target, so that a launch allocates nothing.</summary>
    private static readonly string[] Casts = [.. CastNames("cast")], AddingCasts = [.. CastNames("cast_add")];

    public void Cast(Tensor x, Tensor y, bool accumulate)
    {
        int pair = ((int)x.Type * DTypes.All.Length) + (int)y.Type;
        Launch(
            "cast", accumulate ? AddingCasts[pair] : Casts[pair], ElementGrid(x.Count),
            new CastArguments(x.Address, y.Address, x.Count, accumulate ? 1 : 0, 0));
    }

    private static IEnumerable<string> CastNames(string prefix) =>
        from source in DTypes.All.ToArray()
        from target in DTypes.All.ToArray()
        select $"{prefix}_{source.Traits().Suffix}_{target.Traits().Suffix}";

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct CastArguments(nint X, nint Y, long Count, int Accumulate, int Unused);
}

using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>How many keys and queries are computed on together.</summary>
internal static class AttentionBlock
{
    /// <summary>
    /// Keys of a block: its transposed keys and values, 64 wide, are 64 KB and stay in the second level, a row of tiles of scores
    /// is 6 KB and stays in the first.
    /// </summary>
    public const int Keys = 128;

    /// <summary>Queries of a backward block, whose weights and their gradients are kept: 32 KB each.</summary>
    public const int Queries = 64;
}

/// <summary>The tensors of an attention.</summary>
internal readonly unsafe struct AttentionPointers(
    AttentionGeometry geometry, AttentionOperands operands, Tensor y, Tensor? dY, Tensor? logSums, Tensor? products)
{
    private readonly byte* _mask = CpuCore.Bytes(operands.Mask);
    private readonly int* _lengths = operands.Lengths is null ? null : (int*)operands.Lengths.Address;
    private readonly bool _isLengthShared = operands.Lengths?.Count == 1;

    public readonly AttentionGeometry Geometry = geometry;
    public readonly float* Query = CpuCore.Floats(operands.Query);
    public readonly float* Key = CpuCore.Floats(operands.Key);
    public readonly float* Value = CpuCore.Floats(operands.Value);
    public readonly float* Output = CpuCore.Floats(y);
    public readonly float* OutputGradient = CpuCore.Floats(dY);
    public readonly float* LogSums = CpuCore.Floats(logSums);
    public readonly float* Products = CpuCore.Floats(products);

    /// <summary>Where a row lies, in elements.</summary>
    public static nint Place(in HeadLayout layout, int batch, int head, int row) =>
        (nint)(layout.Offset + (batch * layout.Batch) + (head * layout.Head) + (row * layout.Row));

    /// <summary>The keys of an example that are valid.</summary>
    public int KeysOf(int batch) =>
        _lengths == null ? Geometry.Keys : Math.Clamp(_lengths[_isLengthShared ? 0 : batch], 0, Geometry.Keys);

    /// <summary>The row of the mask for a query, or null; its elements are <see cref="MaskLayout.Key"/> apart.</summary>
    public byte* MaskRow(int batch, int head, int query)
    {
        if (Geometry.MaskKind == MaskKind.None)
        {
            return null;
        }

        MaskLayout mask = Geometry.Mask;
        nint place = (nint)((batch * mask.Batch) + (head * mask.Head) + (query * mask.Query));
        return _mask + (place * (Geometry.MaskKind == MaskKind.Added ? sizeof(float) : 1));
    }

    /// <summary>A row's number in the statistics.</summary>
    public nint Statistic(int batch, int head, int query) => ((((nint)batch * Geometry.Heads) + head) * Geometry.Queries) + query;
}

/// <summary>The gradients of an attention.</summary>
internal unsafe struct GradientPointers(AttentionGradients gradients)
{
    public float* Query = CpuCore.Floats(gradients.Query);
    public float* Key = CpuCore.Floats(gradients.Key);
    public float* Value = CpuCore.Floats(gradients.Value);
    public readonly bool AccumulateQuery = gradients.AccumulateQuery;
    public readonly bool AccumulateKey = gradients.AccumulateKey;
    public readonly bool AccumulateValue = gradients.AccumulateValue;
}

/// <summary>What one task of the backward pass works on: query heads, keys and queries from first to end.</summary>
internal struct BackwardRange
{
    public int Batch;
    public int HeadFirst;
    public int HeadEnd;
    public int KeyFirst;
    public int KeyEnd;
    public int QueryFirst;
    public int QueryEnd;
}

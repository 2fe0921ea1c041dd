using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// A right-hand matrix [rows, columns] packed once for many products: panels as wide as the register tile, each in one piece,
/// so that a product reads them in order whatever the number of columns. Owns one native block.
/// </summary>
internal sealed unsafe class PackedMatrix : IDisposable
{
    private float* panels;

    private PackedMatrix(int rows, int columns, int width)
    {
        Rows = rows;
        Columns = columns;
        PanelStride = (nint)rows * width;
        nint count = (columns + width - 1) / width;

        // Packing writes whole vectors, up to one past the end of a panel.
        panels = (float*)HostMemory.Allocate(((count * PanelStride) + 16) * sizeof(float), clear: false);
    }

    /// <summary>The length of the sums.</summary>
    public int Rows { get; }

    public int Columns { get; }

    /// <summary>Floats from panel to panel.</summary>
    public nint PanelStride { get; }

    /// <exception cref="ObjectDisposedException">The block was given back.</exception>
    public float* Panels
    {
        get
        {
            ObjectDisposedException.ThrowIf(panels == null, this);
            return panels;
        }
    }

    /// <summary>Packs a row-major matrix, or with <paramref name="transposed"/> one stored as [columns, rows].</summary>
    public static PackedMatrix Create(int rows, int columns, float* source, nint stride, bool transposed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        var action = new Packing(rows, columns, source, stride, transposed);
        Simd.Dispatch(ref action);
        return action.Packed!;
    }

    /// <summary>For one rung; the product must be taken on the same.</summary>
    internal static PackedMatrix Create<TLanes>(int rows, int columns, float* source, nint stride, bool transposed)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        var packed = new PackedMatrix(rows, columns, 2 * TLanes.Count);
        Pack<TLanes>.Panels(source, stride, columns, rows, transposed, packed.panels);
        return packed;
    }

    public void Dispose()
    {
        HostMemory.Free(panels);
        panels = null;
    }

    private struct Packing(int rows, int columns, float* source, nint stride, bool transposed) : ILanesAction
    {
        public PackedMatrix? Packed { get; private set; }

        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes> => Packed = Create<TLanes>(rows, columns, source, stride, transposed);
    }
}

using System.Runtime.Intrinsics;
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
        if (Vector512.IsHardwareAccelerated && Rung512.IsSupported)
        {
            return Create<Vector512<float>, Rung512>(rows, columns, source, stride, transposed);
        }

        if (Rung256.IsSupported)
        {
            return Create<Vector256<float>, Rung256>(rows, columns, source, stride, transposed);
        }

        return Rung128.IsSupported
            ? Create<Vector128<float>, Rung128>(rows, columns, source, stride, transposed)
            : Create<float, RungScalar>(rows, columns, source, stride, transposed);
    }

    /// <summary>For one rung; the product must be taken on the same.</summary>
    internal static PackedMatrix Create<TVec, TRung>(int rows, int columns, float* source, nint stride, bool transposed)
        where TVec : struct
        where TRung : struct, IRung<TVec>
    {
        int width = 2 * TRung.Lanes;
        var packed = new PackedMatrix(rows, columns, width);
        for (int col = 0; col < columns; col += width)
        {
            int count = Math.Min(width, columns - col);
            float* panel = packed.panels + (col / width * packed.PanelStride);
            if (transposed)
            {
                Pack<TVec, TRung>.Transposed(source + (col * stride), stride, count, rows, panel, width);
            }
            else
            {
                Pack<TVec, TRung>.Straight(source + col, stride, count, rows, panel, width);
            }
        }

        return packed;
    }

    public void Dispose()
    {
        HostMemory.Free(panels);
        panels = null;
    }
}

using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>Binary operators with NumPy's broadcasting, index by index, in double.</summary>
internal static class ElementwiseReference
{
    public static void Forward(
        BinaryOperator op, Shape aShape, ReadOnlySpan<double> a, Shape bShape, ReadOnlySpan<double> b, Shape yShape, Span<double> y)
    {
        for (int i = 0; i < y.Length; i++)
        {
            double left = a[Index(yShape, aShape, i)], right = b[Index(yShape, bShape, i)];
            y[i] = op == BinaryOperator.Add ? left + right : left * right;
        }
    }

    /// <summary>dA = the sums of dY, or of dY * other, over the axes along which a was repeated.</summary>
    public static void Backward(
        BinaryOperator op, Shape yShape, ReadOnlySpan<double> dY, Shape otherShape, ReadOnlySpan<double> other, Shape aShape, Span<double> dA)
    {
        dA.Clear();
        for (int i = 0; i < dY.Length; i++)
        {
            dA[Index(yShape, aShape, i)] += op == BinaryOperator.Add ? dY[i] : dY[i] * other[Index(yShape, otherShape, i)];
        }
    }

    /// <summary>The index in an operand of the element that meets index i of the whole.</summary>
    private static int Index(Shape whole, Shape operand, int i)
    {
        int index = 0, stride = 1;
        for (int axis = whole.Rank - 1; axis >= 0; axis--)
        {
            int place = i % whole[axis];
            i /= whole[axis];
            int own = axis - (whole.Rank - operand.Rank);
            if (own >= 0)
            {
                index += operand[own] == 1 ? 0 : place * stride;
                stride *= operand[own];
            }
        }

        return index;
    }
}

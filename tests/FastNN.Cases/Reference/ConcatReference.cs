namespace FastNN.Testing;

/// <summary>Concatenation of [rows, width] into columns of [rows, total].</summary>
internal static class ConcatReference
{
    public static void Forward(ReadOnlySpan<double> x, Span<double> y, int rows, int width, int total, int offset)
    {
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < width; column++)
            {
                y[(row * total) + offset + column] = x[(row * width) + column];
            }
        }
    }

    public static void Backward(ReadOnlySpan<double> dY, Span<double> dX, int rows, int width, int total, int offset)
    {
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < width; column++)
            {
                dX[(row * width) + column] = dY[(row * total) + offset + column];
            }
        }
    }
}

namespace FastNN.Data;

/// <summary>Rotation, scale, shear and translation, in the way from the target back to the source.</summary>
/// <param name="XX">How far the source goes right with the target's column.</param>
/// <param name="XY">How far it goes right with the row.</param>
/// <param name="X0">Where column 0 of row 0 comes from.</param>
/// <param name="YX">How far the source goes down with the target's column.</param>
/// <param name="YY">How far it goes down with the row.</param>
/// <param name="Y0">Where row 0 of column 0 comes from.</param>
internal readonly record struct AffineMap(double XX, double XY, double X0, double YX, double YY, double Y0) : ICoordinateMap
{
    /// <inheritdoc/>
    public (double X, double Y) Source(int x, int y) => ((XX * x) + (XY * y) + X0, (YX * x) + (YY * y) + Y0);

    /// <summary>
    /// The inverse of torchvision's T * C * RotateScaleShear * C^-1 (its _get_inverse_affine_matrix), about a center.
    /// </summary>
    /// <param name="width">Of the image.</param>
    /// <param name="height">Of the image.</param>
    /// <param name="angle">Degrees, clockwise.</param>
    /// <param name="translateX">Pixels to the right.</param>
    /// <param name="translateY">Pixels down.</param>
    /// <param name="scale">Above 1 the image grows.</param>
    /// <param name="shearX">Degrees that columns lean.</param>
    /// <param name="shearY">Degrees that rows lean.</param>
    /// <param name="aboutCorner">About the upper left corner in place of the middle.</param>
    public static AffineMap Of(
        int width, int height, double angle, double translateX = 0, double translateY = 0, double scale = 1,
        double shearX = 0, double shearY = 0, bool aboutCorner = false)
    {
        const double Degree = Math.PI / 180;
        double rotation = angle * Degree, shearedX = shearX * Degree, shearedY = shearY * Degree;
        double a = Math.Cos(rotation - shearedY) / Math.Cos(shearedY);
        double b = (-Math.Cos(rotation - shearedY) * Math.Tan(shearedX) / Math.Cos(shearedY)) - Math.Sin(rotation);
        double c = Math.Sin(rotation - shearedY) / Math.Cos(shearedY);
        double d = (-Math.Sin(rotation - shearedY) * Math.Tan(shearedX) / Math.Cos(shearedY)) + Math.Cos(rotation);
        (double xx, double xy, double yx, double yy) = (d / scale, -b / scale, -c / scale, a / scale);

        // Where the center is in coordinates that give whole numbers to the centers of pixels.
        double centerX = aboutCorner ? -0.5 : (width - 1) / 2.0, centerY = aboutCorner ? -0.5 : (height - 1) / 2.0;
        double x = -centerX - translateX, y = -centerY - translateY;
        return new AffineMap(
            xx, xy, (xx * x) + (xy * y) + centerX, yx, yy, (yx * x) + (yy * y) + centerY);
    }
}

/// <summary>
/// A projective map, of the target's coordinates from a middle point to the source's from the corner of the image. From the
/// middle, since the point that the denominator's constant belongs to must not be one that comes from infinitely far away.
/// </summary>
/// <param name="A">x of x, over the denominator.</param>
/// <param name="B">x of y.</param>
/// <param name="C">x of 1.</param>
/// <param name="D">y of x.</param>
/// <param name="E">y of y.</param>
/// <param name="F">y of 1.</param>
/// <param name="G">The denominator's x; its constant is 1.</param>
/// <param name="H">The denominator's y.</param>
/// <param name="MiddleX">Where the middle is.</param>
/// <param name="MiddleY">Where it is.</param>
internal readonly record struct PerspectiveMap(
    double A, double B, double C, double D, double E, double F, double G, double H, double MiddleX, double MiddleY)
    : ICoordinateMap
{
    private const int Unknowns = 8;

    /// <inheritdoc/>
    /// <remarks>The half pixels are torchvision's (its _perspective_grid).</remarks>
    public (double X, double Y) Source(int x, int y)
    {
        (double column, double row) = (x + 0.5 - MiddleX, y + 0.5 - MiddleY);
        double denominator = (G * column) + (H * row) + 1;
        return (
            (((A * column) + (B * row) + C) / denominator) - 0.5,
            (((D * column) + (E * row) + F) / denominator) - 0.5);
    }

    /// <summary>The map that takes four points of the target to four of the source.</summary>
    /// <param name="target">x and y of each; no three on a line.</param>
    /// <param name="source">x and y of each.</param>
    /// <param name="middleX">Of a point within the four of the target.</param>
    /// <param name="middleY">Of the same point.</param>
    public static PerspectiveMap Between(
        ReadOnlySpan<double> target, ReadOnlySpan<double> source, double middleX, double middleY)
    {
        Span<double> rows = stackalloc double[Unknowns * (Unknowns + 1)];
        rows.Clear();
        for (int i = 0; i < 4; i++)
        {
            (double x, double y) = (target[2 * i] - middleX, target[(2 * i) + 1] - middleY);
            for (int axis = 0; axis < 2; axis++)
            {
                Span<double> row = rows.Slice(((2 * i) + axis) * (Unknowns + 1), Unknowns + 1);
                double to = source[(2 * i) + axis];
                (row[3 * axis], row[(3 * axis) + 1], row[(3 * axis) + 2]) = (x, y, 1);
                (row[6], row[7], row[8]) = (-to * x, -to * y, to);
            }
        }

        Span<double> solved = stackalloc double[Unknowns];
        Solve(rows, solved);
        return new PerspectiveMap(
            solved[0], solved[1], solved[2], solved[3], solved[4], solved[5], solved[6], solved[7], middleX, middleY);
    }

    /// <summary>Gauss's elimination with the largest pivot of each column.</summary>
    private static void Solve(Span<double> rows, Span<double> solved)
    {
        const int Stride = Unknowns + 1;
        for (int column = 0; column < Unknowns; column++)
        {
            int pivot = column;
            for (int i = column + 1; i < Unknowns; i++)
            {
                pivot = Math.Abs(rows[(i * Stride) + column]) > Math.Abs(rows[(pivot * Stride) + column]) ? i : pivot;
            }

            for (int k = 0; k < Stride; k++)
            {
                (rows[(column * Stride) + k], rows[(pivot * Stride) + k]) =
                    (rows[(pivot * Stride) + k], rows[(column * Stride) + k]);
            }

            for (int i = column + 1; i < Unknowns; i++)
            {
                double factor = rows[(i * Stride) + column] / rows[(column * Stride) + column];
                for (int k = column; k < Stride; k++)
                {
                    rows[(i * Stride) + k] -= factor * rows[(column * Stride) + k];
                }
            }
        }

        for (int i = Unknowns - 1; i >= 0; i--)
        {
            double sum = rows[(i * Stride) + Unknowns];
            for (int k = i + 1; k < Unknowns; k++)
            {
                sum -= rows[(i * Stride) + k] * solved[k];
            }

            solved[i] = sum / rows[(i * Stride) + i];
        }
    }
}

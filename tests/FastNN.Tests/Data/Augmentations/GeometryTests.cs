using FastNN.Data;

namespace FastNN.Tests.Data.Augmentations;

/// <summary>
/// Rotation, affine maps and perspective against matrices composed as torchvision documents them, in double, and a sampling that
/// looks up each pixel.
/// </summary>
internal sealed class GeometryTests
{
    private const float Fill = 0.25f;

    private static IEnumerable<Shape> Shapes => [[1, 1, 1], [2, 3, 1], [5, 4, 3], [8, 8, 2], [13, 17, 3]];

    private delegate (double X, double Y) Map(double x, double y);

    [Test]
    public void A_rotation_turns_about_the_middle([ValueSource(nameof(Shapes))] Shape shape, [Values] Resampling resampling)
    {
        var augment = new RandomRotation(70) { Resampling = resampling, Fill = Fill };
        for (int example = 0; example < 5; example++)
        {
            double angle = Images.Draws(example).Uniform(-70, 70);
            Compare(augment, shape, example, resampling, Inverse(shape, -angle, (0, 0), 1, 0, 0));
        }
    }

    [Test]
    public void An_affine_map_is_the_product_of_its_parts(
        [ValueSource(nameof(Shapes))] Shape shape, [Values] Resampling resampling)
    {
        var augment = new RandomAffine(30)
        {
            Translate = (0.3, 0.4),
            Scale = (0.6, 1.7),
            ShearX = (-10, 20),
            ShearY = (5, 15),
            Resampling = resampling,
            Fill = Fill,
        };
        for (int example = 0; example < 5; example++)
        {
            AugmentationRandom draws = Images.Draws(example);
            double angle = draws.Uniform(-30, 30);
            double right = Math.Round(draws.Uniform(-0.3, 0.3) * shape[1]);
            double down = Math.Round(draws.Uniform(-0.4, 0.4) * shape[0]);
            double scale = draws.Uniform(0.6, 1.7), shearX = draws.Uniform(-10, 20), shearY = draws.Uniform(5, 15);
            Compare(augment, shape, example, resampling, Inverse(shape, angle, (right, down), scale, shearX, shearY));
        }
    }

    [Test]
    public void A_perspective_moves_the_corners(
        [ValueSource(nameof(Shapes))] Shape shape, [Values] Resampling resampling, [Values(0.3, 0.8)] double distortion)
    {
        if (shape[0] == 1)
        {
            Assert.That(
                () => new RandomPerspective().OutputShape(shape),
                Throws.TypeOf<ShapeException>().With.Message.EqualTo(
                    "RandomPerspective: expected images of at least [2, 2], got [1, 1, 1]."));
            return;
        }

        var augment = new RandomPerspective(distortion, 1) { Resampling = resampling, Fill = Fill };
        for (int example = 0; example < 5; example++)
        {
            AugmentationRandom draws = Images.Draws(example);
            draws.Happens(1);
            int right = shape[1] - 1, low = shape[0] - 1;
            int rangeX = (int)(distortion * (shape[1] / 2)) + 1, rangeY = (int)(distortion * (shape[0] / 2)) + 1;
            double[] corners = [0, 0, right, 0, right, low, 0, low];
            double[] moved = [
                draws.Below(rangeX), draws.Below(rangeY), right - draws.Below(rangeX), draws.Below(rangeY),
                right - draws.Below(rangeX), low - draws.Below(rangeY), draws.Below(rangeX), low - draws.Below(rangeY)];
            double[,] map = Product(Basis(corners), Adjugate(Basis(moved)));
            Compare(augment, shape, example, resampling, (x, y) =>
            {
                (double u, double v, double w) = Times(map, x + 0.5, y + 0.5, 1);
                return ((u / w) - 0.5, (v / w) - 0.5);
            });
        }
    }

    [Test]
    public void Quarter_turns_are_exact()
    {
        float[] image = Images.Numbered([2, 2, 1]);
        Assert.That(
            Images.Run(new RandomRotation(90, 90), image, [2, 2, 1]), Is.EqualTo(new float[] { 2, 4, 1, 3 }), "counterclockwise");
        Assert.That(Images.Run(new RandomRotation(180, 180), image, [2, 2, 1]), Is.EqualTo(new float[] { 4, 3, 2, 1 }));
    }

    [Test]
    public void Nothing_to_do_changes_no_bit([ValueSource(nameof(Shapes))] Shape shape, [Values] Resampling resampling)
    {
        float[] image = Images.Random(shape);
        Augmentation[] still = [
            new RandomRotation(0) { Resampling = resampling }, new RandomAffine(0) { Resampling = resampling },
            new RandomPerspective(0.5, 0) { Resampling = resampling },
            new Resize(shape[0], shape[1]) { Resampling = resampling }];
        foreach (Augmentation augment in shape[0] == 1 ? [.. still.Where(augment => augment is not RandomPerspective)] : still)
        {
            Assert.That(Images.Run(augment, image, shape), Is.EqualTo(image), augment.GetType().Name);
        }
    }

    [Test]
    public void Corners_that_meet_give_an_image_all_the_same([Values] Resampling resampling, [Values(2, 3, 4)] int size)
    {
        // All the way to the middle two corners may fall together or pass each other, and no map takes them apart again.
        Shape shape = [size, size, 1];
        for (int example = 0; example < 200; example++)
        {
            float[] result = Images.Run(
                new RandomPerspective(1, 1) { Resampling = resampling }, Images.Random(shape), shape, example);
            Assert.That(result, Has.All.InRange(-1e-6f, 1.000001f));
        }
    }

    [Test]
    public void Angles_are_spread_evenly()
    {
        // The place of a bright pixel right of the middle tells the angle.
        const int Trials = 2000, Size = 101;
        var image = new float[Size * Size];
        image[(50 * Size) + 100] = 1;
        var augment = new RandomRotation(80) { Resampling = Resampling.Bilinear };
        var angles = new List<double>();
        for (int example = 0; example < Trials; example++)
        {
            float[] turned = Images.Run(augment, image, [Size, Size, 1], example);
            double x = 0, y = 0, sum = 0;
            for (int i = 0; i < turned.Length; i++)
            {
                x += turned[i] * ((i % Size) - 50);
                y += turned[i] * (50 - (i / Size));
                sum += turned[i];
            }

            Assert.That(sum, Is.GreaterThan(0.2));
            angles.Add(Math.Atan2(y, x) * 180 / Math.PI);
        }

        Assert.That(angles, Has.All.InRange(-80.5, 80.5));
        foreach (double bound in (double[])[-40, 0, 40])
        {
            double share = angles.Count(angle => angle < bound) / (double)Trials;
            Assert.That(share, Is.EqualTo((bound + 80) / 160).Within(4 * 0.5 / Math.Sqrt(Trials)));
        }
    }

    private static void Compare(Augmentation augment, Shape shape, int example, Resampling resampling, Map source)
    {
        float[] image = Images.Random(shape, (uint)example);
        float[] result = Images.Run(augment, image, shape, example);
        int compared = 0;
        for (int i = 0; i < result.Length; i++)
        {
            (int y, int x, int c) = (i / (shape[1] * shape[2]), i / shape[2] % shape[1], i % shape[2]);
            (double sourceX, double sourceY) = source(x, y);
            if (resampling == Resampling.Nearest)
            {
                if (IsTie(sourceX) || IsTie(sourceY))
                {
                    continue;
                }

                Assert.That(result[i], Is.EqualTo(At(image, shape, Math.Floor(sourceY + 0.5), Math.Floor(sourceX + 0.5), c)));
            }
            else
            {
                double left = Math.Floor(sourceX), top = Math.Floor(sourceY), right = sourceX - left, low = sourceY - top;
                double expected =
                    ((1 - low) * (1 - right) * At(image, shape, top, left, c))
                    + ((1 - low) * right * At(image, shape, top, left + 1, c))
                    + (low * (1 - right) * At(image, shape, top + 1, left, c))
                    + (low * right * At(image, shape, top + 1, left + 1, c));
                Assert.That(result[i], Is.EqualTo(expected).Within(1e-6));
            }

            compared++;
        }

        Assert.That(compared, Is.GreaterThanOrEqualTo(result.Length / 3), "those that are no ties");
    }

    private static bool IsTie(double value) => Math.Abs(value - Math.Floor(value) - 0.5) < 1e-9;

    private static double At(float[] image, Shape shape, double y, double x, int c) =>
        y >= 0 && y < shape[0] && x >= 0 && x < shape[1]
            ? image[((((int)y * shape[1]) + (int)x) * shape[2]) + c]
            : Fill;

    /// <summary>T * C * R * S * SHy * SHx * C^-1 of torchvision's documentation, inverted.</summary>
    private static Map Inverse(
        Shape shape, double angle, (double X, double Y) translate, double scale, double shearX, double shearY)
    {
        const double Degree = Math.PI / 180;
        (double cos, double sin) = (Math.Cos(angle * Degree), Math.Sin(angle * Degree));
        double centerX = (shape[1] - 1) / 2.0, centerY = (shape[0] - 1) / 2.0;
        double[,] forward = Move(translate.X, translate.Y);
        foreach (double[,] next in (double[][,])[
            Move(centerX, centerY),
            new[,] { { cos, -sin, 0 }, { sin, cos, 0 }, { 0, 0, 1 } },
            new[,] { { scale, 0, 0 }, { 0, scale, 0 }, { 0, 0, 1 } },
            new[,] { { 1, 0, 0 }, { -Math.Tan(shearY * Degree), 1, 0 }, { 0, 0, 1 } },
            new[,] { { 1, -Math.Tan(shearX * Degree), 0 }, { 0, 1, 0 }, { 0, 0, 1 } },
            Move(-centerX, -centerY)])
        {
            forward = Product(forward, next);
        }

        double[,] inverse = Adjugate(forward);
        return (x, y) =>
        {
            (double u, double v, double w) = Times(inverse, x, y, 1);
            return (u / w, v / w);
        };
    }

    private static double[,] Move(double x, double y) => new[,] { { 1, 0, x }, { 0, 1, y }, { 0, 0, 1 } };

    /// <summary>
    /// The matrix that takes the three axes and their sum to four points, up to a factor of each: two of them make every
    /// projective map between four points and four others.
    /// </summary>
    private static double[,] Basis(double[] points)
    {
        double[,] columns =
        {
            { points[0], points[2], points[4] }, { points[1], points[3], points[5] }, { 1, 1, 1 },
        };
        (double a, double b, double c) = Times(Adjugate(columns), points[6], points[7], 1);
        return Product(columns, new[,] { { a, 0, 0 }, { 0, b, 0 }, { 0, 0, c } });
    }

    private static double[,] Product(double[,] left, double[,] right)
    {
        var product = new double[3, 3];
        for (int i = 0; i < 27; i++)
        {
            product[i / 9, i / 3 % 3] += left[i / 9, i % 3] * right[i % 3, i / 3 % 3];
        }

        return product;
    }

    private static (double X, double Y, double Z) Times(double[,] m, double x, double y, double z) => (
        (m[0, 0] * x) + (m[0, 1] * y) + (m[0, 2] * z), (m[1, 0] * x) + (m[1, 1] * y) + (m[1, 2] * z),
        (m[2, 0] * x) + (m[2, 1] * y) + (m[2, 2] * z));

    /// <summary>The inverse times the determinant, a factor that projective coordinates do not see.</summary>
    private static double[,] Adjugate(double[,] m)
    {
        var adjugate = new double[3, 3];
        for (int i = 0; i < 9; i++)
        {
            (int row, int column) = (i / 3, i % 3);
            (int r1, int r2, int c1, int c2) = ((column + 1) % 3, (column + 2) % 3, (row + 1) % 3, (row + 2) % 3);
            adjugate[row, column] = (m[r1, c1] * m[r2, c2]) - (m[r1, c2] * m[r2, c1]);
        }

        return adjugate;
    }
}

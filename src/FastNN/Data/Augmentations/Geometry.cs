namespace FastNN.Data;

/// <summary>Turns an image about its middle by a random angle; its size stays.</summary>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomRotation.html"/>
public sealed class RandomRotation : Augmentation
{
    private readonly Resampling _resampling;
    private readonly float _fill;

    /// <summary>Angles from minus to plus a number of degrees.</summary>
    /// <param name="degrees">The largest angle; 0 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    public RandomRotation(double degrees)
    {
        degrees = AugmentationArguments.NotNegative(Name, degrees);
        Degrees = (-degrees, degrees);
    }

    /// <summary>Angles between two numbers of degrees, counterclockwise.</summary>
    /// <param name="low">The least.</param>
    /// <param name="high">The largest.</param>
    /// <exception cref="ArgumentOutOfRangeException">They are not in order, or not finite.</exception>
    public RandomRotation(double low, double high)
    {
        (double Low, double High) degrees = (low, high);
        Degrees = AugmentationArguments.Range(Name, degrees, double.MinValue, double.MaxValue);
    }

    /// <summary>The angles, in degrees counterclockwise.</summary>
    public (double Low, double High) Degrees { get; }

    /// <summary>How pixels are made; default nearest.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not one of the enumeration's.</exception>
    public Resampling Resampling
    {
        get => _resampling;
        init => _resampling = AugmentationArguments.Defined(Name, value, nameof(Resampling));
    }

    /// <summary>What comes in from outside; default 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not finite.</exception>
    public float Fill
    {
        get => _fill;
        init => _fill = AugmentationArguments.Finite(Name, value, nameof(Fill));
    }

    /// <inheritdoc/>
    protected override void Augment(AugmentationImage image)
    {
        double angle = image.Random.Uniform(Degrees.Low, Degrees.High);
        Warp.Apply(image, AffineMap.Of(image.Width, image.Height, -angle), Resampling, Fill);
    }
}

/// <summary>Rotates, moves, scales and shears an image about its middle, each by a random amount; its size stays.</summary>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomAffine.html"/>
public sealed class RandomAffine : Augmentation
{
    private readonly (double X, double Y) _translate;
    private readonly (double Low, double High) _scale = (1, 1);
    private readonly (double Low, double High) _shearX;
    private readonly (double Low, double High) _shearY;
    private readonly Resampling _resampling;
    private readonly float _fill;

    /// <summary>Angles from minus to plus a number of degrees, clockwise; nothing else until it is set.</summary>
    /// <param name="degrees">The largest angle; 0 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    public RandomAffine(double degrees)
    {
        Degrees = AugmentationArguments.NotNegative(Name, degrees);
    }

    /// <summary>The largest angle, in degrees either way.</summary>
    public double Degrees { get; }

    /// <summary>How far the image moves at most, either way, as parts of its width and height; whole pixels. Default 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A part is not in 0..1.</exception>
    public (double X, double Y) Translate
    {
        get => _translate;
        init => _translate = (
            AugmentationArguments.Within(Name, value.X, 0, 1, "Translate.X"),
            AugmentationArguments.Within(Name, value.Y, 0, 1, "Translate.Y"));
    }

    /// <summary>The factors that the image grows by; default 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They are not positive and in order.</exception>
    public (double Low, double High) Scale
    {
        get => _scale;
        init => _scale = AugmentationArguments.Range(Name, value, double.Epsilon, double.MaxValue, nameof(Scale));
    }

    /// <summary>Degrees that columns lean; default 0. torchvision's shear of one number s is (-s, s).</summary>
    /// <exception cref="ArgumentOutOfRangeException">They are not in order or not in -89..89.</exception>
    public (double Low, double High) ShearX
    {
        get => _shearX;
        init => _shearX = AugmentationArguments.Range(Name, value, -89, 89, nameof(ShearX));
    }

    /// <summary>Degrees that rows lean; default 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They are not in order or not in -89..89.</exception>
    public (double Low, double High) ShearY
    {
        get => _shearY;
        init => _shearY = AugmentationArguments.Range(Name, value, -89, 89, nameof(ShearY));
    }

    /// <summary>How pixels are made; default nearest.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not one of the enumeration's.</exception>
    public Resampling Resampling
    {
        get => _resampling;
        init => _resampling = AugmentationArguments.Defined(Name, value, nameof(Resampling));
    }

    /// <summary>What comes in from outside; default 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not finite.</exception>
    public float Fill
    {
        get => _fill;
        init => _fill = AugmentationArguments.Finite(Name, value, nameof(Fill));
    }

    /// <inheritdoc/>
    protected override void Augment(AugmentationImage image)
    {
        AugmentationRandom random = image.Random;
        double angle = random.Uniform(-Degrees, Degrees);
        double right = Math.Round(random.Uniform(-Translate.X, Translate.X) * image.Width);
        double down = Math.Round(random.Uniform(-Translate.Y, Translate.Y) * image.Height);
        double scale = random.Uniform(Scale.Low, Scale.High);
        double shearX = random.Uniform(ShearX.Low, ShearX.High), shearY = random.Uniform(ShearY.Low, ShearY.High);
        Warp.Apply(
            image, AffineMap.Of(image.Width, image.Height, angle, right, down, scale, shearX, shearY), Resampling, Fill);
    }
}

/// <summary>Shows an image as if seen from aside: its four corners move inwards by random amounts; its size stays.</summary>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomPerspective.html"/>
public sealed class RandomPerspective : RandomAugmentation
{
    private readonly Resampling _resampling = Resampling.Bilinear;
    private readonly float _fill;

    /// <summary>A perspective.</summary>
    /// <param name="distortionScale">How far corners move at most, as a part of the way to the middle; default 0.5.</param>
    /// <param name="p">The probability; default 0.5.</param>
    /// <exception cref="ArgumentOutOfRangeException">One is not in 0..1.</exception>
    public RandomPerspective(double distortionScale = 0.5, double p = 0.5)
        : base(p)
    {
        DistortionScale = AugmentationArguments.Within(Name, distortionScale, 0, 1);
    }

    /// <summary>How far corners move at most, as a part of the way to the middle.</summary>
    public double DistortionScale { get; }

    /// <summary>How pixels are made; default bilinear.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not one of the enumeration's.</exception>
    public Resampling Resampling
    {
        get => _resampling;
        init => _resampling = AugmentationArguments.Defined(Name, value, nameof(Resampling));
    }

    /// <summary>What comes in from outside; default 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not finite.</exception>
    public float Fill
    {
        get => _fill;
        init => _fill = AugmentationArguments.Finite(Name, value, nameof(Fill));
    }

    /// <inheritdoc/>
    protected override Shape ShapeAfter(Shape shape) => shape[0] > 1 && shape[1] > 1
        ? shape
        : throw new ShapeException($"{Name}: expected images of at least [2, 2], got {shape}.");

    /// <inheritdoc/>
    protected override void Change(AugmentationImage image)
    {
        (int width, int height) = (image.Width, image.Height);
        int rangeX = (int)(DistortionScale * (width / 2)) + 1, rangeY = (int)(DistortionScale * (height / 2)) + 1;
        AugmentationRandom random = image.Random;
        ReadOnlySpan<double> corners = [0, 0, width - 1, 0, width - 1, height - 1, 0, height - 1];
        Span<double> moved = stackalloc double[8];
        for (int i = 0; i < 8; i++)
        {
            int inwards = random.Below(i % 2 == 0 ? rangeX : rangeY);
            moved[i] = corners[i] == 0 ? inwards : corners[i] - inwards;
        }

        PerspectiveMap map = PerspectiveMap.Between(moved, corners, (width - 1) / 2.0, (height - 1) / 2.0);
        Warp.Apply(image, map, Resampling, Fill);
    }
}

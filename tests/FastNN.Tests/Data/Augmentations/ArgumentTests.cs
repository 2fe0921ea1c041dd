using FastNN.Data;

namespace FastNN.Tests.Data.Augmentations;

/// <summary>Wrong arguments are refused by name: augmentation, argument, what was expected and what was given.</summary>
internal sealed class ArgumentTests
{
    private static TestCaseData Case(Func<object> make, string message) =>
        new TestCaseData(make, message).SetArgDisplayNames(message);

    private static IEnumerable<TestCaseData> Wrong => [
        Case(() => new RandomHorizontalFlip(1.5), "RandomHorizontalFlip: expected p to be a probability in 0..1, got 1.5."),
        Case(() => new RandomVerticalFlip(-0.1), "RandomVerticalFlip: expected p to be a probability in 0..1, got -0.1."),
        Case(() => new RandomErasing(double.NaN), "RandomErasing: expected p to be a probability in 0..1, got NaN."),
        Case(() => new RandomCrop(0), "RandomCrop: expected size to be a positive number, got 0."),
        Case(() => new RandomCrop(4, -1), "RandomCrop: expected width to be a positive number, got -1."),
        Case(() => new RandomCrop(4) { Padding = -1 }, "RandomCrop: expected Padding to be in 0..16777216, got -1."),
        Case(
            () => new RandomCrop(4) { PaddingMode = (CropPadding)7 },
            "RandomCrop: expected PaddingMode to be one of Constant, Edge, Reflect, Symmetric, got 7."),
        Case(() => new RandomCrop(4) { Fill = float.NaN }, "RandomCrop: expected Fill to be a finite number, got NaN."),
        Case(() => new Resize(3, 0), "Resize: expected width to be a positive number, got 0."),
        Case(
            () => new RandomResizedCrop(4) { Scale = (0, 1) },
            "RandomResizedCrop: expected Scale to be two numbers in order, each above 0 and at most 1, got (0, 1)."),
        Case(
            () => new RandomResizedCrop(4) { Ratio = (2, 1) },
            "RandomResizedCrop: expected Ratio to be two numbers in order, each above 0, got (2, 1)."),
        Case(
            () => new RandomErasing { Scale = (-0.1, 0.3) },
            "RandomErasing: expected Scale to be two numbers in order, each in 0..1, got (-0.1, 0.3)."),
        Case(() => new RandomRotation(-5), "RandomRotation: expected degrees to be at least 0, got -5."),
        Case(
            () => new RandomRotation(5, double.PositiveInfinity),
            "RandomRotation: expected degrees to be two numbers in order, each finite, got (5, Infinity)."),
        Case(() => new RandomAffine(0) { Translate = (0, 1.1) }, "RandomAffine: expected Translate.Y to be in 0..1, got 1.1."),
        Case(
            () => new RandomAffine(0) { Scale = (-1, 1) },
            "RandomAffine: expected Scale to be two numbers in order, each above 0, got (-1, 1)."),
        Case(
            () => new RandomAffine(0) { ShearX = (0, 90) },
            "RandomAffine: expected ShearX to be two numbers in order, each in -89..89, got (0, 90)."),
        Case(() => new ColorJitter(-0.1), "ColorJitter: expected brightness to be at least 0, got -0.1."),
        Case(() => new ColorJitter(hue: 0.6), "ColorJitter: expected hue to be in 0..0.5, got 0.6."),
        Case(() => new RandomPosterize(9), "RandomPosterize: expected bits to be in 1..8, got 9."),
        Case(() => new RandomSolarize(1.1), "RandomSolarize: expected threshold to be in 0..1, got 1.1."),
        Case(() => new RandomAdjustSharpness(-1), "RandomAdjustSharpness: expected factor to be at least 0, got -1."),
        Case(() => new Grayscale(2), "Grayscale: expected channels to be 1 or 3, got 2."),
        Case(() => new GaussianBlur(4), "GaussianBlur: expected kernelSize to be a positive odd number, got 4."),
        Case(
            () => new GaussianBlur(3) { Sigma = (0, 1) },
            "GaussianBlur: expected Sigma to be two numbers in order, each above 0, got (0, 1)."),
        Case(() => new GaussianNoise(0, -1), "GaussianNoise: expected sigma to be at least 0, got -1."),
        Case(() => new RandAugment(-1), "RandAugment: expected operations to be 0 or more, got -1."),
        Case(() => new RandAugment { Bins = 1 }, "RandAugment: expected Bins to be in 2..2147483647, got 1."),
        Case(
            () => new RandomInvert { Range = new ValueRange(1, 1) },
            "RandomInvert: expected Range to be black below white, both finite, got 1 and 1."),
        Case(() => new MixUp(-1), "MixUp: expected alpha to be a positive number, got -1."),
        Case(() => new RandomPerspective(1.5), "RandomPerspective: expected distortionScale to be in 0..1, got 1.5."),
    ];

    [TestCaseSource(nameof(Wrong))]
    public void A_wrong_argument_is_refused_by_name(Func<object> make, string message) =>
        Assert.That(make, Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith(message));
}

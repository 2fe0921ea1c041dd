using FastNN.Data;

namespace FastNN.Tests.Data.Augmentations;

/// <summary>Sequences, choices and probabilities, and the random numbers that each part gets.</summary>
internal sealed class ComposeTests
{
    private static readonly Shape Shape = [1, 2, 1];

    [Test]
    public void Parts_run_in_order()
    {
        var augment = new Compose(new Resize(4), new RandomCrop(3), new CenterCrop(2, 1));
        Assert.That(augment.OutputShape([9, 9, 3]), Is.EqualTo(new Shape(2, 1, 3)));
        float[] image = Images.Random([9, 9, 3]);
        float[] resized = Images.Run(new Resize(4), image, [9, 9, 3]);
        float[] result = Images.Run(augment, image, [9, 9, 3]);
        Assert.That(resized, Is.SupersetOf(result), "cut out of the resized image");
        Assert.That(Images.Run(new Compose(), image, [9, 9, 3]), Is.EqualTo(image), "nothing changes nothing");
    }

    [Test]
    public void A_part_draws_by_its_place_alone()
    {
        float[] image = Images.Numbered(Shape);
        for (int example = 0; example < 50; example++)
        {
            // Places 1 and 2; the flips draw differently, as often as not.
            bool first = Images.Draws(example, place: 1).Happens(0.5), second = Images.Draws(example, place: 2).Happens(0.5);
            float[] twice = Images.Run(
                new Compose(new RandomHorizontalFlip(), new RandomHorizontalFlip()), image, Shape, example);
            Assert.That(twice[0], Is.EqualTo(first == second ? 1 : 2));
            float[] behind = Images.Run(
                new Compose(new RandomErasing(0), new Compose(), new RandomHorizontalFlip()), image, Shape, example);
            Assert.That(behind[0], Is.EqualTo(Images.Draws(example, place: 3).Happens(0.5) ? 2 : 1));
        }
    }

    [Test]
    public void One_augmentation_object_may_stand_at_several_places()
    {
        var flip = new RandomHorizontalFlip();
        int[] flipped = [.. Enumerable.Range(0, 400).Select(
            example => (int)Images.Run(new Compose(flip, flip), Images.Numbered(Shape), Shape, example)[0])];
        Assert.That(flipped.Count(first => first == 2), Is.InRange(160, 240), "independent flips cancel half of the time");
    }

    [Test]
    public void The_probability_is_that_of_all_of_it()
    {
        const int Trials = 4000;
        float[] image = Images.Numbered(Shape);
        foreach (double p in (double[])[0, 0.25, 1])
        {
            var augment = new RandomApply(new Compose(new RandomHorizontalFlip(1), new AddTen()), p);
            float[] first = [.. Enumerable.Range(0, Trials).Select(i => Images.Run(augment, image, Shape, i)[0])];
            Assert.That(first.Distinct(), Is.SubsetOf((float[])[1, 12]), "both or none");
            double deviation = Math.Sqrt(p * (1 - p) / Trials);
            Assert.That(first.Count(value => value == 12) / (double)Trials, Is.EqualTo(p).Within(4 * deviation));
        }
    }

    [Test]
    public void A_choice_takes_each_as_often()
    {
        const int Trials = 6000;
        var augment = new OneOf(new Compose(), new RandomHorizontalFlip(1), new AddTen());
        float[] first = [.. Enumerable.Range(0, Trials).Select(i => Images.Run(augment, Images.Numbered(Shape), Shape, i)[0])];
        foreach (float value in (float[])[1, 2, 11])
        {
            double deviation = Math.Sqrt(2.0 / 9 / Trials);
            Assert.That(first.Count(v => v == value) / (double)Trials, Is.EqualTo(1.0 / 3).Within(4 * deviation));
        }
    }

    [Test]
    public void A_random_sequence_goes_on_where_it_was_behind_a_part()
    {
        var augment = new DrawsAround(new RandomHorizontalFlip());
        Images.Run(augment, Images.Numbered(Shape), Shape);
        AugmentationRandom expected = Images.Draws();
        Assert.That(augment.Drawn, Is.EqualTo(new[] { expected.Uniform(), expected.Uniform(), expected.Uniform() }));
    }

    [Test]
    public void A_dataset_is_augmented_when_it_is_read()
    {
        Dataset data = Images.Dataset(5, [6, 4, 3]);
        Dataset cropped = new RandomCrop(3).Apply(data, Images.Seed);
        Assert.That(new Shape(cropped.ExampleShape), Is.EqualTo(new Shape(3, 3, 3)));
        var original = new float[72];
        var read = new float[27];
        data.CopyFeatures(4, original);
        cropped.CopyFeatures(4, read);
        Assert.That(read, Is.EqualTo(Images.Run(new RandomCrop(3), original, [6, 4, 3], example: 4)));
        Assert.That(cropped.LabelOf(4), Is.EqualTo(data.LabelOf(4)));
    }

    [Test]
    public void An_augmentation_may_read_an_augmented_dataset()
    {
        Dataset other = new RandomHorizontalFlip(1).Apply(Images.Dataset(3, [2, 3, 1]));
        var expected = new float[6];
        other.CopyFeatures(1, expected);
        float[] image = Images.Numbered([2, 3, 1]);
        float[] sum = Images.Run(new Compose(new AddOther(other), new RandomHorizontalFlip(0)), image, [2, 3, 1]);
        Assert.That(sum, Is.EqualTo(image.Zip(expected, (left, right) => left + right)));
    }

    [Test]
    public void Wrong_parts_are_refused()
    {
        Assert.That(() => new OneOf(), Throws.ArgumentException.With.Message.Contains("at least one"));
        Assert.That(() => new Compose(new RandomErasing(), null!), Throws.ArgumentNullException.With.Message.Contains("part 1"));
        Assert.That(() => new RandomApply(null!), Throws.ArgumentNullException);
        Assert.That(
            () => new RandomApply(new CenterCrop(2)).OutputShape([3, 3, 1]),
            Throws.TypeOf<ShapeException>().With.Message.EqualTo(
                "RandomApply: expected an augmentation that keeps the shape, as it may be left out, got one that makes [2, 2, 1] of [3, 3, 1]."));
        Assert.That(
            () => new OneOf(new CenterCrop(2), new CenterCrop(3)).OutputShape([3, 3, 1]),
            Throws.TypeOf<ShapeException>().With.Message.EqualTo(
                "OneOf: expected augmentations that make the same shape of [3, 3, 1], got [2, 2, 1] and [3, 3, 1]."));
        Assert.That(
            () => new CenterCrop(2).Apply(new float[8], [3, 3, 1], new float[4]),
            Throws.TypeOf<ShapeException>().With.Message.Contains("got 8 and 4"));
        Assert.That(
            () => Images.Run(new ForgetsItsShape(), new float[9], [3, 3, 1]),
            Throws.TypeOf<AugmentationException>().With.Message.EqualTo(
                "ForgetsItsShape: example 0: expected the 9 numbers of its output shape, got [2, 2, 1]."));
    }

    private sealed class AddTen : Augmentation
    {
        protected override void Augment(AugmentationImage image)
        {
            foreach (ref float value in image.Pixels)
            {
                value += 10;
            }
        }
    }

    private sealed class AddOther(Dataset other) : Augmentation
    {
        protected override void Augment(AugmentationImage image)
        {
            var read = new float[image.Pixels.Length];
            other.CopyFeatures(1, read);
            for (int i = 0; i < read.Length; i++)
            {
                image.Pixels[i] += read[i];
            }
        }
    }

    private sealed class ForgetsItsShape : Augmentation
    {
        protected override void Augment(AugmentationImage image) => image.Replace(2, 2, out _).Clear();
    }

    private sealed class DrawsAround(Augmentation inner) : Augmentation
    {
        public double[] Drawn { get; } = new double[3];

        protected override void Augment(AugmentationImage image)
        {
            Drawn[0] = image.Random.Uniform();
            inner.Run(image, 1);
            Drawn[1] = image.Random.Uniform();
            inner.Run(image, 1);
            Drawn[2] = image.Random.Uniform();
        }
    }
}

using FastNN.Formats;

namespace FastNN.Tests.Golden;

/// <summary>The golden runner can fail: a comparison that cannot is worth nothing.</summary>
internal sealed class GoldenRunnerTests
{
    private Device _device = null!;

    [OneTimeSetUp]
    public void CreateDevice() => _device = Device.Cpu(1);

    [OneTimeTearDown]
    public void DisposeDevice() => _device.Dispose();

    [TestCase("linear_00_b4_8to6")]
    [TestCase("conv2d_10_groups2")]
    [TestCase("maxpool2d_04_k3_s2_p1")]
    [TestCase("avgpool1d_00_k2")]
    [TestCase("softmax_02_axis1_4d")]
    [TestCase("concat_02_last")]
    [TestCase("cross_entropy_12_segmentation")]
    [TestCase("bce_loss_02_sum_weight")]
    [TestCase("optimizer_adam_00_default")]
    [TestCase("trace_autoencoder_00_mse_adam")]
    public void A_case_passes_and_a_perturbed_copy_does_not(string name)
    {
        GoldenCase golden = Open(name);
        GoldenRunner.Run(golden, _device);
        foreach (string tensor in golden.Compared.Distinct())
        {
            GoldenCase perturbed = Open(name);
            perturbed.Perturb(tensor);
            Assert.That(
                () => GoldenRunner.Run(perturbed, _device),
                Throws.TypeOf<GoldenMismatchException>().With.Message.Contains(tensor), tensor);
        }
    }

    [Test]
    public void A_missing_operator_is_named()
    {
        string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors");
        var writer = new SafetensorsWriter();
        writer.SetMetadata("op", "unheard_of");
        writer.SetMetadata("attrs", "{}");
        writer.SetMetadata("tolerance", """{"rtol":0,"atol":0}""");
        writer.Add("x", [1], new float[1]);
        try
        {
            writer.Save(path);
            Assert.That(
                () => GoldenRunner.Run(GoldenCase.Open(path), _device),
                Throws.TypeOf<UnsupportedCaseException>().With.Message.Contains("unheard_of"));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void An_attribute_that_nobody_read_is_refused()
    {
        var attributes = new Attributes("""{"axis":1,"note":"for people","unheard_of":2}""");
        Assert.That(attributes.Int("axis"), Is.EqualTo(1));
        Assert.That(attributes.Unread, Is.EqualTo(new[] { "unheard_of" }));
    }

    [Test]
    public void A_tensor_that_nobody_looked_at_fails_the_case()
    {
        GoldenCase golden = Open("relu_00_small");
        golden.Compare("y", golden.Floats("y"));
        Assert.That(golden.Finish, Throws.TypeOf<GoldenMismatchException>().With.Message.Contains("dx"));
    }

    private static GoldenCase Open(string name) =>
        GoldenCase.Open(Path.Combine(AppContext.BaseDirectory, "Golden", "cases", name + ".safetensors"));
}

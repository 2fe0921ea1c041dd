using FastNN.Fuzz;

namespace FastNN.Tests.Fuzzing;

/// <summary>
/// A minute of damaged files for all readers, the same ones every time (a few seconds with FASTNN_QUICK). For hours:
/// <c>dotnet run -c Release --project tests/FastNN.Fuzz -- --minutes 120 --seed 2</c>.
/// </summary>
internal sealed class FuzzTests
{
    private const ulong Seed = 1;

    private static readonly bool Quick = Environment.GetEnvironmentVariable("FASTNN_QUICK") is { Length: > 0 };

    private string _folder = "";

    private static IEnumerable<string> Names => FuzzTargets.All("").Select(target => target.Name);

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("fastnn-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestCaseSource(nameof(Names))]
    public void A_reader_accepts_or_refuses_whatever_it_is_given(string name)
    {
        FuzzTarget[] targets = [.. FuzzTargets.All(_folder)];
        TimeSpan time = TimeSpan.FromSeconds(Quick ? 4 : 24) / targets.Length;
        string kept = Path.Combine(TestContext.CurrentContext.WorkDirectory, "fuzz-failures");
        FuzzFailure? failure = new Fuzzer(Seed, kept, TestContext.Out).Run(targets.Single(target => target.Name == name), time);
        Assert.That(failure, Is.Null);
    }

    [Test]
    public void The_fuzzer_notices_every_kind_of_failure_and_keeps_the_file()
    {
        Assert.That(
            Run(file => _ = file[3] == 7 ? throw new InvalidOperationException("raw") : 0),
            Does.Contain("InvalidOperationException: raw"));
        Assert.That(Run(file => GC.KeepAlive(new byte[file[0] == 1 ? 1000 : 1 << 20])), Does.Contain("made it allocate"));
        Assert.That(
            Run(file => _ = file[0] == 1 ? 0 : throw new FileFormatException(new string('x', 1000), 0, "a", "b")),
            Does.Contain("a message of"));
        Assert.That(Run(_ => throw new FileFormatException("a", 0, "a", "b")), Does.Contain("a valid file is refused"));
        Assert.That(Run(file => Thread.Sleep(file[0] == 1 ? 0 : 2000)), Does.Contain("took more than"));

        string? Run(Action<byte[]> read)
        {
            var target = new FuzzTarget(
                "toy", [[1, 2, 3, 4]], [], file => read(file.Length < 4 ? [1, 2, 3, 4] : file), _ => 100_000);
            FuzzFailure? failure = new Fuzzer(Seed, _folder, TextWriter.Null) { Patience = TimeSpan.FromMilliseconds(500) }.Run(
                target, TimeSpan.FromSeconds(5));
            Assert.That(failure?.Path, Does.Exist);
            return failure?.ToString();
        }
    }

    [Test]
    public void A_seed_gives_the_same_files()
    {
        Assert.That(Mutations(1), Is.EqualTo(Mutations(1).ToArray()));
        Assert.That(Mutations(1), Is.Not.EqualTo(Mutations(2)));

        static IEnumerable<byte[]> Mutations(int seed)
        {
            var mutator = new Mutator(new Random(seed), [[9, 9]]);
            return [.. Enumerable.Range(0, 200).Select(_ => mutator.Mutate([1, 2, 3, 4, 5], [6, 7]))];
        }
    }
}

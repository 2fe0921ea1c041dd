using FastNN.Cli;
using FastNN.Cli.Recipes;

namespace FastNN.Tests.Cli;

internal sealed class UsageTests : CliFixture
{
    [TestCase]
    [TestCase("--help")]
    [TestCase("-h")]
    public void Without_a_command_it_lists_what_there_is(params string[] args)
    {
        CliResult result = Run(args);
        Assert.That((result.Code, result.Error), Is.EqualTo((0, "")));
        foreach (string word in (string[])[
            "fastnn [command]", "train", "evaluate", "recipes", "plan", "data", "profile", "devices", "--version", "mnist-cnn"])
        {
            Assert.That(result.Output, Does.Contain(word));
        }
    }

    [Test]
    public void The_version_is_the_library_s()
    {
        CliResult result = Run("--version");
        Assert.That((result.Code, result.Error), Is.EqualTo((0, "")));
        Assert.That(result.Output, Does.StartWith("0."));
    }

    [Test]
    public void Every_recipe_is_listed_with_its_network_and_target()
    {
        CliResult result = Run("recipes");
        Assert.That(result.Code, Is.Zero);
        foreach (Recipe recipe in RecipeBook.All)
        {
            Assert.That(
                result.Output, Does.Contain(recipe.Name).And.Contain(recipe.Network).And.Contain(recipe.TrainingDescription));
        }
    }

    [TestCase("Did you mean 'mnist-cnn'?", "train", "mnist-cn")]
    [TestCase("Did you mean 'mnist-cnn-small'?", "plan", "mnist-cnn-smal")]
    [TestCase("Choose one of breast-cancer-mlp, mnist-mlp", "evaluate", "resnet50", "--weights", "x")]
    [TestCase("There is no command 'trian'. Did you mean 'train'?", "trian", "mnist-cnn")]
    [TestCase("missing", "train")]
    [TestCase("--weights", "evaluate", "mnist-mlp")]
    [TestCase("--fast", "train", "mnist-mlp", "--fast")]
    [TestCase("--epochs: '0' is not a whole number from 1", "train", "mnist-mlp", "--epochs", "0")]
    [TestCase("--epochs: '-3'", "train", "mnist-mlp", "--epochs", "-3")]
    [TestCase("--epochs: '1.5'", "train", "mnist-mlp", "--epochs", "1.5")]
    [TestCase("--batch: '0'", "train", "mnist-mlp", "--batch", "0")]
    [TestCase("--batch: '99999999999'", "train", "mnist-mlp", "--batch", "99999999999")]
    [TestCase("--limit: '0'", "train", "mnist-mlp", "--limit", "0")]
    [TestCase("--threads: '0'", "train", "mnist-mlp", "--threads", "0")]
    [TestCase("--threads: '2000'", "train", "mnist-mlp", "--threads", "2000")]
    [TestCase("--threads: '129' is not a whole number from 1 to 128", "train", "mnist-mlp", "--threads", "129")]
    [TestCase("There is no command '@/dev/zero'", "@/dev/zero")]
    [TestCase("--lr: 'nan' is not a positive number", "train", "mnist-mlp", "--lr", "nan")]
    [TestCase("--lr: '0'", "train", "mnist-mlp", "--lr", "0")]
    [TestCase("--lr: '1e60'", "train", "mnist-mlp", "--lr", "1e60")]
    [TestCase("--seed: '-1'", "train", "mnist-mlp", "--seed", "-1")]
    [TestCase("'gpu'", "train", "mnist-mlp", "--device", "gpu")]
    [TestCase("--resume needs a FILE", "train", "mnist-mlp", "--resume")]
    [TestCase("Did you mean 'fashion-mnist'?", "data", "fashion-mnits")]
    public void A_wrong_command_line_is_told_in_one_line(string message, params string[] args) =>
        AssertFails(Run(args), 2, message);

    [Test]
    public void An_argument_that_begins_with_an_at_sign_is_a_name_not_a_file_of_arguments()
    {
        File.WriteAllText(At("@run"), "--help");
        AssertFails(Run("train", "breast-cancer-mlp", "--data", "@run"), 1, "'@run'");
    }

    [TestCase("/runs/a-b_1.2:x=y@z%+,", "/runs/a-b_1.2:x=y@z%+,")]
    [TestCase("", "''")]
    [TestCase("two  words", "'two  words'")]
    [TestCase("it's $HOME `id` \"x\"", @"'it'\''s $HOME `id` ""x""'")]
    [TestCase("a\nb", "'a\nb'")]
    [TestCase("ünï*?[", "'ünï*?['")]
    public void Words_are_quoted_for_a_shell(string word, string expected) =>
        Assert.That(FastNN.Cli.Running.ResumeCommand.Quote(word), Is.EqualTo(expected));

    [TestCase("", "abc", 3)]
    [TestCase("kitten", "sitting", 3)]
    [TestCase("same", "same", 0)]
    [TestCase("flaw", "lawn", 2)]
    public void Distance_is_levenshtein_s(string a, string b, int expected) =>
        Assert.That((Nearest.Distance(a, b), Nearest.Distance(b, a)), Is.EqualTo((expected, expected)));
}

"""A Face and a module of your own: which animal do people like?"""

import random

from kilroy_gym import KilroyFace, KilroyModule, KilroyTrainer, PostData


class AnimalFace(KilroyFace):
    def __init__(self):
        self.sent = []

    def scrap(self, limit=None):  # what others have posted: (post id, post)
        yield from enumerate(PostData(x) for x in ["cat", "cat", "dog", "duck"][:limit])

    def post(self, data):  # sends a post; returns its id
        self.sent.append(data.x)
        return f"post-{len(self.sent)}"

    def score(self, post_id):  # what people gave for it
        return {"cat": 1, "dog": 2, "duck": 5}[self.sent[int(post_id[5:]) - 1]]


class AnimalModule(KilroyModule):
    def __init__(self):
        self.weights, self.drafts = {}, []

    def generate(self):  # writes a post: (draft id, post)
        self.drafts += random.choices(list(self.weights), self.weights.values())
        return len(self.drafts) - 1, PostData(self.drafts[-1])

    def mimic(self, posts):  # learns to write such posts
        for post in posts:
            self.weights[post.x] = self.weights.get(post.x, 0) + 1
        return self

    def reinforce(self, scores):  # learns from {draft id: score}
        for draft_id, score in scores.items():
            self.weights[self.drafts[draft_id]] *= 1.1**score
        return self


if __name__ == "__main__":
    random.seed(0)
    trainer = KilroyTrainer(AnimalFace(), AnimalModule()).fine_tune(epochs=1)
    print(trainer.module.weights)
    trainer.run(posts=200, post_rate=0)
    print(trainer.module.drafts[-10:])
